//! Makes what the options describe: the embedded store, or what connections to servers need.

#[cfg(feature = "tls-rustls")]
use std::path::PathBuf;
#[cfg(feature = "tls-rustls")]
use std::sync::Arc;

use crate::error::Error;
#[cfg(feature = "embedded")]
use crate::open::options::Target;
use crate::open::options::{Host, Options};
use crate::open::socket::Address;

impl Options {
    #[cfg(feature = "embedded")]
    pub(super) fn embedded(&self) -> Result<crate::embedded::Embedded, Error> {
        use crate::embedded::{Durability, Embedded};
        let durability = if self.eventual { Durability::Eventual } else { Durability::Immediate };
        let con = match &self.target {
            Target::File(path) => Embedded::in_file(path, durability)?,
            Target::Memory(name) => Embedded::in_memory(name)?,
            _ => Embedded::in_memory("")?,
        };
        let con = con.with_resp3(self.resp3);
        Ok(match self.stand_in_for {
            Some(server) => con.stand_in_for(server),
            None => con,
        })
    }

    /// Where one server is, for connections of ours.
    pub(super) fn address_of(&self, host: &Host) -> Result<Address, Error> {
        if !self.tls {
            return Ok(Address::Tcp(host.clone()));
        }
        #[cfg(feature = "tls-rustls")]
        return Ok(Address::Tls(host.clone(), self.tls_config()?));
        #[cfg(not(feature = "tls-rustls"))]
        Err(self.needs("tls-rustls"))
    }

    /// Trusts the given authority or those of the system, and has the client's own certificate if there is one.
    #[cfg(feature = "tls-rustls")]
    fn tls_config(&self) -> Result<Arc<rustls::ClientConfig>, Error> {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let read = |path: &PathBuf, part| {
            std::fs::read(path).map_err(|error| Error::Url {
                part,
                problem: format!("names {}, which cannot be read: {error}", path.display()),
            })
        };
        let wrong = |part, problem: &dyn std::fmt::Display| Error::Url { part, problem: problem.to_string() };
        let certificates = |pem: &[u8], part| {
            let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
            let read = read.map_err(|_| wrong(part, &"names a file that is no PEM"))?;
            if read.is_empty() { Err(wrong(part, &"names a file that holds no certificate")) } else { Ok(read) }
        };
        let own = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some((read(cert, "parameter `cert`")?, read(key, "parameter `key`")?)),
            (None, None) => None,
            _ => {
                return Err(wrong(
                    "parameters",
                    &"name only one of `cert` and `key`; a client's certificate needs both",
                ));
            }
        };
        let mut roots = rustls::RootCertStore::empty();
        if let Some(ca) = &self.ca {
            for certificate in certificates(&read(ca, "parameter `ca`")?, "parameter `ca`")? {
                roots.add(certificate).map_err(|error| wrong("parameter `ca`", &format!("cannot be used: {error}")))?;
            }
        } else {
            // What of the system's store cannot be read does not count; a server's certificate is then not trusted.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        // The process's provider, if it has chosen one.
        let provider = rustls::crypto::CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("scheme", &format!("needs TLS 1.2 or 1.3: {error}")))?
            .with_root_certificates(roots);
        let config = match own {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let chain = certificates(&cert, "parameter `cert`")?;
                let key = PrivateKeyDer::from_pem_slice(&key)
                    .map_err(|_| wrong("parameter `key`", &"names a file that holds no private key"))?;
                config
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| wrong("parameter `cert`", &format!("cannot be used: {error}")))?
            }
        };
        Ok(Arc::new(config))
    }
}

/// True if a connection cannot be used after this reply: a server that has become a replica says so in its replies.
pub(super) fn ends_with(reply: &redis::Value) -> bool {
    match reply {
        redis::Value::ServerError(error) => error.kind() == Some(redis::ServerErrorKind::ReadOnly),
        redis::Value::Array(replies) => replies.iter().any(ends_with),
        _ => false,
    }
}
