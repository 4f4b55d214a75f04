//! What a connection says first: who it is, which database and which protocol it wants.

use redis::{Cmd, RedisError, RedisResult, Value, cmd};

use crate::open::options::Options;
use crate::open::resp::Values;

/// The user, the database and the protocol of a connection.
#[derive(Clone)]
pub(super) struct Login {
    username: Option<String>,
    password: Option<String>,
    database: i64,
    resp3: bool,
}

/// How the answer to a command of the login is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Needed,
    /// The server may have fewer databases.
    Database(i64),
    /// The server may not know it, or may not allow it.
    Optional,
    /// The server has to be a master.
    Master,
}

impl Login {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            username: options.username.clone(),
            password: options.password.clone(),
            database: options.database,
            resp3: options.resp3,
        }
    }

    pub(super) fn of_sentinel(options: &Options) -> Self {
        Self {
            username: options.sentinel_username.clone(),
            password: options.sentinel_password.clone(),
            database: 0,
            resp3: false,
        }
    }

    /// The commands to send, all at once.
    fn commands(&self, to_master: bool) -> Vec<(Cmd, Answer)> {
        let mut commands = Vec::new();
        let user = self.username.as_deref();
        if self.resp3 {
            let mut hello = cmd("HELLO");
            hello.arg(3);
            if let Some(password) = &self.password {
                hello.arg("AUTH").arg(user.unwrap_or("default")).arg(password);
            }
            commands.push((hello, Answer::Needed));
        } else if let Some(password) = &self.password {
            let mut auth = cmd("AUTH");
            auth.arg(user).arg(password);
            commands.push((auth, Answer::Needed));
        } else {
            // A server that wants a password says so now, and not to the first command. Who may not PING is logged in.
            commands.push((cmd("PING"), Answer::Optional));
        }
        if self.database != 0 {
            let mut select = cmd("SELECT");
            select.arg(self.database);
            commands.push((select, Answer::Database(self.database)));
        }
        for (name, value) in [("LIB-NAME", env!("CARGO_PKG_NAME")), ("LIB-VER", env!("CARGO_PKG_VERSION"))] {
            let mut info = cmd("CLIENT");
            info.arg("SETINFO").arg(name).arg(value);
            commands.push((info, Answer::Optional));
        }
        if to_master {
            commands.push((cmd("ROLE"), Answer::Master));
        }
        commands
    }

    /// Packs the commands, and says how many there are.
    pub(super) fn packed(&self, to_master: bool) -> (Vec<u8>, usize) {
        let commands = self.commands(to_master);
        let mut packed = Vec::new();
        for (cmd, _) in &commands {
            cmd.write_packed_command(&mut packed);
        }
        (packed, commands.len())
    }

    /// Judges the answers.
    pub(super) fn judge(&self, answers: Values, to_master: bool) -> RedisResult<()> {
        for (answer, (_, kind)) in answers.into_iter().zip(self.commands(to_master)) {
            match (kind, answer) {
                (Answer::Database(number), Value::ServerError(error)) if error.code() == "ERR" => {
                    let problem = format!("the server has no database {number}, or takes no number above 0");
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, problem).into());
                }
                // Whoever sends no password hears of it here. Without its database, it would work on another one; and who
                // cannot say what it is now may be a replica.
                (_, Value::ServerError(error))
                    if matches!(error.code(), "NOAUTH" | "WRONGPASS")
                        || matches!(kind, Answer::Needed | Answer::Database(_))
                        || (kind == Answer::Master && !matches!(error.code(), "NOPERM" | "ERR")) =>
                {
                    return Err(self.without_secrets(error.into()));
                }
                (Answer::Master, Value::Array(role)) if !is_master(&role) => {
                    let problem = "the server has become a replica";
                    return Err(RedisError::from(std::io::Error::new(std::io::ErrorKind::NotConnected, problem)));
                }
                // A user without the right to ROLE cannot ask.
                _ => {}
            }
        }
        Ok(())
    }

    /// A server that does not know a command quotes its arguments, cut somewhere.
    fn without_secrets(&self, error: RedisError) -> RedisError {
        let quotes = error.detail().is_some_and(|detail| {
            let has = |secret: &Option<String>| secret.as_ref().is_some_and(|secret| detail.contains(&**secret));
            detail.contains(['\'', '`', '"']) || has(&self.password) || has(&self.username)
        });
        if !quotes {
            return error;
        }
        let code = error.code().unwrap_or("ERR").to_owned();
        let problem = format!("the server refuses the login ({code}): it may not know AUTH or HELLO");
        std::io::Error::new(std::io::ErrorKind::PermissionDenied, problem).into()
    }
}

fn is_master(role: &[Value]) -> bool {
    match role.first() {
        Some(Value::BulkString(role)) => role == b"master",
        Some(Value::SimpleString(role)) => role == "master",
        _ => false,
    }
}
