//! Commands that change nothing, to learn whether a server has them and whether the user may call them.

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value, cmd};

use crate::command::script::Script;

/// A command with the key of no hash, and the name of what it asks for.
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    pub(crate) cmd: Cmd,
}

/// What a server has answered to a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Unknown,
    Denied,
}

/// What is called where fields expire.
pub(crate) fn of_expiring_fields(key: &str) -> Vec<Probe> {
    let field = |name: &'static str, args: &[&str]| {
        let mut cmd = cmd(name);
        cmd.arg(key).arg(args).arg("FIELDS").arg(1).arg("field");
        cmd
    };
    let mut set = field("HSETEX", &["FXX"]); // only if the field is there, and it is not
    set.arg("value");
    let mut probes = vec![Probe { name: "HSETEX", cmd: set }];
    for (name, args) in [("HGETEX", &[][..]), ("HPTTL", &[]), ("HPEXPIRE", &["1"])] {
        probes.push(Probe { name, cmd: field(name, args) });
    }
    probes.extend(of_scripts(key));
    probes
}

/// What is called where a hash expires as a whole.
pub(crate) fn of_expiring_hashes(key: &str) -> Vec<Probe> {
    let mut expire = cmd("PEXPIRE");
    expire.arg(key).arg(1);
    let mut probes = vec![Probe { name: "PEXPIRE", cmd: expire }];
    probes.extend(of_scripts(key));
    probes
}

/// A script that takes a field which is not there.
pub(crate) fn of_scripts(key: &str) -> Vec<Probe> {
    let script = Script::Take;
    let probes = [("EVALSHA", script.hash()), ("EVAL", script.source())].map(|(name, script)| {
        let mut cmd = cmd(name);
        cmd.arg(script).arg(1).arg(key).arg("field").arg(0).arg(1);
        Probe { name, cmd }
    });
    probes.into()
}

/// Judges the answer to a probe, if it is one.
pub(crate) fn verdict(reply: Result<Value, RedisError>) -> Result<Verdict, RedisError> {
    let error = match reply {
        Ok(Value::ServerError(error)) => error.into(),
        Ok(_) => return Ok(Verdict::Allowed),
        Err(error) => error,
    };
    let says = |text: &str| error.detail().is_some_and(|detail| detail.contains(text));
    match (error.kind(), error.code()) {
        (ErrorKind::Server(ServerErrorKind::NoScript), _) => Ok(Verdict::Allowed),
        // The rights to a key are asked for after those to a command: this key is nobody's.
        (_, Some("NOPERM")) => Ok(if says("to run") { Verdict::Denied } else { Verdict::Allowed }),
        (_, Some("ERR")) if says("unknown command") => Ok(Verdict::Unknown),
        _ => Err(error),
    }
}

/// Asks which master holds which slots. On a server alone it is an error.
pub(crate) fn cluster_slots() -> Cmd {
    let mut cmd = cmd("CLUSTER");
    cmd.arg("SLOTS");
    cmd
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::{Verdict, verdict};

    #[test]
    fn what_an_answer_says_is_known() {
        let of = |reply: &str| verdict(parse_redis_value(reply.as_bytes())).ok();
        assert!(matches!(of(":0\r\n"), Some(Verdict::Allowed)));
        assert!(matches!(of("-NOSCRIPT none\r\n"), Some(Verdict::Allowed)));
        assert!(matches!(of("-NOPERM this user has no permissions to run the 'x' command\r\n"), Some(Verdict::Denied)));
        assert!(matches!(of("-NOPERM No permissions to access a key\r\n"), Some(Verdict::Allowed)));
        assert!(matches!(of("-ERR unknown command 'HPTTL'\r\n"), Some(Verdict::Unknown)));
        assert!(of("-ERR something else\r\n").is_none() && of("-LOADING\r\n").is_none());
    }
}
