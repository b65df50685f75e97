//! Connections to one server, as kubectl makes them: through proxies, by TLS, and never waiting for ever.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::{PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::Body;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower::util::{BoxCloneSyncService, MapErr};
use tower::{BoxError, Service, ServiceExt as _};
use tower_http::decompression::{Decompression, DecompressionBody};

use super::header::basic;
use super::proxy::Proxy;
use super::settings::Settings;
use super::silence::Patience;
use crate::error::Error;

/// From the first packet to a connection on which TLS is agreed, through a proxy if there is one.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// As Go's: an idle connection is kept this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// Idle connections that are kept; as many as there are logs read at once, with room to spare.
const MAX_IDLE: usize = 128;
/// A server that is gone is noticed on a watch or a followed log after about a minute.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TRIES: u32 = 3;

pub(super) type Reply = Response<UnsyncBoxBody<Bytes, BoxError>>;
type Http = BoxCloneSyncService<Request<Body>, Response<DecompressionBody<Incoming>>, BoxError>;
type Tcp = HttpConnector<MapErr<GaiResolver, fn(std::io::Error) -> UnknownHost>>;

/// Sends requests whose URI is complete.
pub(super) struct Transport {
    connections: Connections,
    patience: Patience,
    user_agent: HeaderValue,
}

impl Transport {
    /// # Errors
    /// A proxy or a TLS server name that can't be used.
    pub(super) fn new(settings: &Settings, tls: Option<ClientConfig>, patience: Patience) -> Result<Self, Error> {
        let user_agent = HeaderValue::from_str(&user_agent());
        let user_agent = user_agent.unwrap_or(HeaderValue::from_static("kubectl-indexed"));
        Ok(Self { connections: Connections::new(settings, tls)?, patience, user_agent })
    }

    /// Sends one request. The connections of an older `generation` are not used any more.
    ///
    /// # Errors
    /// No connection, one that breaks, or a server that is silent for too long. A watch and a followed log may be
    /// silent once their answer has begun.
    pub(super) async fn send(&self, mut request: Request<Body>, generation: u64) -> Result<Reply, BoxError> {
        request.headers_mut().insert(USER_AGENT, self.user_agent.clone());
        let streams = has_flag(request.uri(), "watch") || has_flag(request.uri(), "follow");
        let reply = self.patience.wait(self.connections.current(generation).oneshot(request)).await??;
        let (head, body) = reply.into_parts();
        let body = if streams { body.boxed_unsync() } else { self.patience.guard(body) };
        Ok(Response::from_parts(head, body))
    }
}

/// Whether a parameter of the query is set.
pub(super) fn has_flag(uri: &Uri, name: &str) -> bool {
    let is_set = |pair: &str| matches!(pair.split_once('=').unwrap_or((pair, "1")), (key, "true" | "1") if key == name);
    uri.query().is_some_and(|query| query.split('&').any(is_set))
}

/// Whether the server, or the proxy on the way, is spoken to by TLS.
pub(super) fn needs_tls(settings: &Settings) -> bool {
    let https = |uri: &Uri| uri.scheme_str() == Some("https");
    https(&settings.server) || settings.proxy.as_ref().is_some_and(|proxy| https(&proxy.uri))
}

/// `kubectl-indexed/VERSION (OS/ARCHITECTURE)`, the latter two in Go's words, as in kubectl's.
fn user_agent() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("kubectl-indexed/{} ({os}/{arch})", env!("CARGO_PKG_VERSION"))
}

/// The pool of connections, replaced by an empty one when the client's certificate changes.
struct Connections {
    make: Box<dyn Fn() -> Http + Send + Sync>,
    current: Mutex<(u64, Http)>,
}

impl Connections {
    fn new(settings: &Settings, tls: Option<ClientConfig>) -> Result<Self, Error> {
        let gzip = !settings.disable_compression;
        let tls = Tls::new(settings, tls)?;
        let plain = settings.server.scheme_str() == Some("http");
        let make: Box<dyn Fn() -> Http + Send + Sync> = match settings.proxy.clone() {
            None => Box::new(move || http(tls.over(tcp()), gzip)),
            Some(proxy) if proxy.uri.scheme_str() == Some("socks5") => {
                Box::new(move || http(tls.over(socks(&proxy).map_err(|error| ProxyFailed(error.into()))), gzip))
            }
            Some(proxy) => {
                let own = tls.for_proxy();
                let login = proxy.login.as_ref().map(|(name, password)| basic(name, password)).transpose()?;
                let to = proxy.uri;
                if !matches!(to.scheme_str(), Some("http" | "https")) {
                    return Err(Error::usage(format!("the proxy {to} must be of http, https or socks5")));
                }
                if plain {
                    // Without TLS the proxy reads requests itself, and wants to be asked like a server.
                    Box::new(move || {
                        let through = Forwarding { proxy: to.clone(), inner: own.over(tcp()) };
                        with_header(http(through, gzip), login.clone())
                    })
                } else {
                    Box::new(move || {
                        let tunnel = Tunnel::new(to.clone(), own.over(tcp()));
                        let tunnel = match &login {
                            Some(login) => tunnel.with_auth(login.clone()),
                            None => tunnel,
                        };
                        http(tls.over(tunnel.map_err(|error| ProxyFailed(error.into()))), gzip)
                    })
                }
            }
        };
        let current = Mutex::new((0, make()));
        Ok(Self { make, current })
    }

    fn current(&self, generation: u64) -> Http {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 < generation {
            *current = (generation, (self.make)());
        }
        current.1.clone()
    }
}

fn tcp() -> Tcp {
    let mut tcp = HttpConnector::new_with_resolver(GaiResolver::new().map_err(UnknownHost as fn(_) -> _));
    // TLS is laid over it.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
    tcp
}

fn socks(proxy: &Proxy) -> SocksV5<Tcp> {
    let socks = SocksV5::new(proxy.uri.clone(), tcp());
    match &proxy.login {
        Some((name, password)) => socks.with_auth(name.clone(), password.reveal().to_owned()),
        None => socks,
    }
}

/// TLS for `https`, nothing for `http`.
#[derive(Clone)]
struct Tls {
    config: ClientConfig,
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    fn new(settings: &Settings, config: Option<ClientConfig>) -> Result<Self, Error> {
        let config = config.unwrap_or_else(|| {
            // Never asked, since all is `http`.
            let builder = ClientConfig::builder_with_provider(super::tls::provider());
            builder
                .with_safe_default_protocol_versions()
                .expect("ring supports the default versions")
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth()
        });
        let server_name = settings.tls_server_name.clone().map(|name| {
            ServerName::try_from(name.clone())
                .map_err(|_| Error::usage(format!("the TLS server name {name:?} is not a host's name")))
        });
        Ok(Self { config, server_name: server_name.transpose()? })
    }

    /// The proxy's name is its own.
    fn for_proxy(&self) -> Self {
        Self { config: self.config.clone(), server_name: None }
    }

    fn over<C>(&self, inner: C) -> hyper_rustls::HttpsConnector<C> {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.config.clone()).https_or_http();
        let builder = match &self.server_name {
            Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
            None => builder,
        };
        builder.enable_http1().wrap_connector(inner)
    }
}

fn http<C>(connector: C, gzip: bool) -> Http
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Read + Write + Connection + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let client: legacy::Client<_, Body> = legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE)
        .build(Limited { inner: connector, limit: CONNECT_TIMEOUT });
    BoxCloneSyncService::new(Decompression::new(client).gzip(gzip).map_err(BoxError::from))
}

fn with_header(http: Http, login: Option<HeaderValue>) -> Http {
    BoxCloneSyncService::new(http.map_request(move |mut request: Request<Body>| {
        if let Some(login) = &login {
            request.headers_mut().insert(PROXY_AUTHORIZATION, login.clone());
        }
        request
    }))
}

/// There was no connection within this time.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {0:?}")]
pub(super) struct ConnectTimeout(pub(super) Duration);

/// The host's name has no address.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct UnknownHost(std::io::Error);

/// The proxy did not connect.
#[derive(Debug, thiserror::Error)]
#[error("the proxy did not connect")]
pub(super) struct ProxyFailed(#[source] BoxError);

/// A connector that gives up after `limit`.
#[derive(Clone)]
struct Limited<C> {
    inner: C,
    limit: Duration,
}

impl<C> Service<Uri> for Limited<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Response: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<C::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, limit) = (self.inner.call(to), self.limit);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(ConnectTimeout(limit).into()),
            }
        })
    }
}

/// A connector that always goes to the proxy, and says so, so that requests name the whole URL.
#[derive(Clone)]
struct Forwarding<C> {
    proxy: Uri,
    inner: C,
}

impl<C> Service<Uri> for Forwarding<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = Forwarded<C::Response>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = self.inner.call(self.proxy.clone());
        Box::pin(async move { connecting.await.map(Forwarded).map_err(|error| ProxyFailed(error.into()).into()) })
    }
}

/// A connection to a proxy that reads requests.
struct Forwarded<T>(T);

impl<T: Connection> Connection for Forwarded<T> {
    fn connected(&self) -> Connected {
        self.0.connected().proxy(true)
    }
}

impl<T: Read + Unpin> Read for Forwarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Forwarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_not_waited_for_for_ever() {
        let never = tower::service_fn(|_: Uri| std::future::pending::<Result<(), BoxError>>());
        let limit = Duration::from_millis(20);
        let error = Limited { inner: never, limit }.oneshot(Uri::from_static("http://x")).await.unwrap_err();
        assert_eq!(error.downcast_ref::<ConnectTimeout>().unwrap().0, limit);
    }
}
