//! Measures the embedded store, and connections to a server. `benches/run` starts the server, pins what has to be pinned, and runs this.

mod beside;
mod connections;
mod file;
mod memory;
mod older;
mod records;
mod rounds;
mod server;
mod threads;

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    for kind in std::env::args().skip(1) {
        match &*kind {
            "memory" => memory::run()?,
            "older" => older::run()?,
            "server" => server::run()?,
            "connections" => connections::run()?,
            "file" => file::run()?,
            "threads" => {
                threads::run()?;
                file::threads()?;
            }
            "beside" => beside::run()?,
            other => {
                return Err(format!(
                    "{other} is no kind of rows: memory, older, server, connections, file, threads, beside"
                )
                .into());
            }
        }
    }
    Ok(())
}
