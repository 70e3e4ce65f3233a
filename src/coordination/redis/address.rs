//! The address of the store: one server, Sentinels that name one, or a cluster.

use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, TlsMode,
    cluster::ClusterClient,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};

use crate::secret::{ExposeSecret, SecretString};

/// The port of a server and of a cluster's nodes.
const PORT: u16 = 6379;
/// The port of a Sentinel.
const SENTINEL_PORT: u16 = 26379;

/// The address of the store, as `redis_url` gives it:
///
/// - `redis://[user[:password]@]host[:port][/db]`, `rediss://` with TLS,
/// - `redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/name-of-the-master[/db]`,
/// - `redis+cluster://[user[:password]@]host[:port][,host[:port]…]`,
///
/// both with `rediss+` for TLS, and `valkey` and `valkeys` like `redis` and `rediss`.
#[derive(Clone)]
pub(super) struct Address {
    kind: Kind,
    is_tls: bool,
    user: Option<String>,
    password: Option<SecretString>,
    hosts: Vec<(String, u16)>,
    db: i64,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Server,
    Sentinel { master: String },
    Cluster,
}

/// What is wrong with an address; it never repeats the address, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

impl AddressError {
    /// A password stands where it can be read by whoever reads the configuration.
    pub(super) fn with_password() -> Self {
        let text = "holds a password; put the whole address into a file that `redis_url_file` names, \
                    or the password into one that `redis_password_file` names";
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address")
            .field("kind", &self.kind)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// The client that an address calls for.
pub(super) enum AnyClient {
    Server(Box<Client>),
    Sentinel(Box<SentinelClient>),
    /// A cluster, and one of its nodes, which hears what is published anywhere.
    Cluster(Box<ClusterClient>, Box<Client>),
}

impl Address {
    /// Reads an address.
    pub(super) fn parse(url: &str) -> Result<Self, AddressError> {
        let error = |text: &str| AddressError(text.to_owned());
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| error("is no address; write redis://host:6379, or rediss:// for TLS"))?;
        let (engine, form) = scheme.split_once('+').unwrap_or((scheme, ""));
        let is_tls = match engine {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => {
                return Err(error(
                    "begins with no scheme that is known: redis, rediss, redis+sentinel, \
                     rediss+sentinel, redis+cluster or rediss+cluster",
                ));
            }
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !query.is_empty() {
            return Err(error("has a query, and none is known"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user_info, hosts) = match authority.rsplit_once('@') {
            Some((user_info, hosts)) => (Some(user_info), hosts),
            None => (None, authority),
        };
        let (user, password) =
            match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
                Some((user, password)) => (decoded(user)?, decoded(password)?),
                None => (String::new(), String::new()),
            };
        let is_sentinel = form == "sentinel";
        let port = if is_sentinel { SENTINEL_PORT } else { PORT };
        let hosts = hosts.split(',').map(|host| parse_host(host, port));
        let hosts: Vec<_> = hosts.collect::<Result<_, _>>()?;
        let (kind, db) = match form {
            "" => (Kind::Server, path),
            "cluster" => (Kind::Cluster, path),
            "sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(error(
                        "lacks the name of the master: redis+sentinel://host:26379/mymaster",
                    ));
                }
                (
                    Kind::Sentinel {
                        master: decoded(master)?,
                    },
                    db,
                )
            }
            _ => return Err(error("has a form that is not known: sentinel or cluster")),
        };
        if kind == Kind::Server && hosts.len() > 1 {
            return Err(error(
                "names several hosts; write redis+sentinel:// or redis+cluster://",
            ));
        }
        let db = match db {
            "" => 0,
            _ if kind == Kind::Cluster => {
                return Err(error("names a database, and a cluster has one only"));
            }
            db => db
                .parse()
                .map_err(|_| error("ends with no number of a database"))?,
        };
        Ok(Self {
            kind,
            is_tls,
            user: Some(user).filter(|user| !user.is_empty()),
            password: Some(password)
                .filter(|password| !password.is_empty())
                .map(SecretString::from),
            hosts,
            db,
        })
    }

    /// Whether it holds a password.
    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Returns the address with the password that stands by itself.
    pub(super) fn with_password(self, password: Option<SecretString>) -> Self {
        Self {
            password: password.or(self.password),
            ..self
        }
    }

    /// Returns the hosts, for the log.
    pub(super) fn shown(&self) -> String {
        let hosts: Vec<_> = self
            .hosts
            .iter()
            .map(|(host, port)| format!("{host}:{port}"))
            .collect();
        hosts.join(",")
    }

    /// Returns the client that it calls for.
    pub(super) fn client(&self) -> redis::RedisResult<AnyClient> {
        let addresses = || {
            self.hosts
                .iter()
                .map(|(host, port)| self.address(host, *port))
        };
        match &self.kind {
            Kind::Server => {
                let first = addresses().next();
                let info = self.info(first.expect("an address has a host"))?;
                Ok(AnyClient::Server(Box::new(Client::open(info)?)))
            }
            Kind::Sentinel { master } => {
                let mut builder =
                    SentinelClientBuilder::new(addresses(), master, SentinelServerType::Master)?
                        .set_client_to_redis_db(self.db);
                if let Some(user) = &self.user {
                    builder = builder.set_client_to_redis_username(user);
                }
                if let Some(password) = &self.password {
                    builder = builder.set_client_to_redis_password(password.expose_secret());
                }
                if self.is_tls {
                    builder = builder
                        .set_client_to_redis_tls_mode(TlsMode::Secure)
                        .set_client_to_sentinel_tls_mode(TlsMode::Secure);
                }
                Ok(AnyClient::Sentinel(Box::new(builder.build()?)))
            }
            Kind::Cluster => {
                let infos: Vec<_> = addresses()
                    .map(|address| self.info(address))
                    .collect::<Result<_, _>>()?;
                let node = Client::open(infos[0].clone())?;
                let cluster = ClusterClient::new(infos)?;
                Ok(AnyClient::Cluster(Box::new(cluster), Box::new(node)))
            }
        }
    }

    fn address(&self, host: &str, port: u16) -> ConnectionAddr {
        match self.is_tls {
            false => ConnectionAddr::Tcp(host.to_owned(), port),
            true => ConnectionAddr::TcpTls {
                host: host.to_owned(),
                port,
                insecure: false,
                tls_params: None,
            },
        }
    }

    fn info(&self, address: ConnectionAddr) -> redis::RedisResult<ConnectionInfo> {
        let mut settings = RedisConnectionInfo::default()
            .set_db(self.db)
            .set_lib_name("quota-oracle", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.expose_secret());
        }
        Ok(address.into_connection_info()?.set_redis_settings(settings))
    }
}

fn parse_host(text: &str, default: u16) -> Result<(String, u16), AddressError> {
    let error = || AddressError("has a host that cannot be read; write host:port".to_owned());
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(error)?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Ok(default), str::parse).map_err(|_| error())?;
    match host.is_empty() || port == 0 {
        true => Err(error()),
        false => Ok((host.to_owned(), port)),
    }
}

fn decoded(text: &str) -> Result<String, AddressError> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| AddressError("has a name or password that is no UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        let address = Address::parse(url).unwrap();
        format!(
            "{:?} {} tls={} db={}",
            address.kind,
            address.shown(),
            address.is_tls,
            address.db
        )
    }

    #[test]
    fn each_form_of_an_address_is_read() {
        assert_eq!(shown("redis://cache"), "Server cache:6379 tls=false db=0");
        assert_eq!(
            shown("rediss://u:p%40s@cache:7000/3"),
            "Server cache:7000 tls=true db=3"
        );
        assert_eq!(
            shown("valkey://[::1]:6380"),
            "Server ::1:6380 tls=false db=0"
        );
        assert_eq!(
            shown("redis+sentinel://a,b:26380/mymaster/2"),
            "Sentinel { master: \"mymaster\" } a:26379,b:26380 tls=false db=2"
        );
        assert_eq!(
            shown("rediss+cluster://a,b:7001"),
            "Cluster a:6379,b:7001 tls=true db=0"
        );
    }

    #[test]
    fn users_and_passwords_are_decoded() {
        let address = Address::parse("redis://oracle:p%40ss:word@cache").unwrap();
        assert_eq!(address.user.as_deref(), Some("oracle"));
        assert_eq!(address.password.unwrap().expose_secret(), "p@ss:word");
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_repeating_it() {
        for wrong in [
            "cache:6379",
            "http://secret@cache",
            "redis://:secret@",
            "redis://a,b",
            "redis://cache/first",
            "redis://cache:port",
            "redis+sentinel://cache",
            "redis+cluster://cache/1",
            "redis+other://cache",
            "redis://cache?x=1",
        ] {
            let error = Address::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
