//! Connections to one server, as in kubectl: through proxies, with TLS, and with limits of time.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{FutureExt as _, TryFutureExt as _};
use http::header::{PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kube::client::Body;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use tower::util::{BoxCloneSyncService, MapErr};
use tower::{BoxError, Service, ServiceExt as _};
use tower_http::decompression::{Decompression, DecompressionBody};
use tower_http::set_header::SetRequestHeader;

use super::header::basic;
use super::proxy::Proxy;
use super::settings::ConnectSettings;
use super::silence::Patience;
use super::tls::Identity;
use crate::error::Error;

/// The limit for a connection including proxy and TLS.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept, as in Go.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// The number of idle connections to keep: more than the logs that are read at once.
const MAX_IDLE: usize = 128;
/// On watches and followed logs, these detect a lost server after about a minute.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TRIES: u32 = 3;

pub(super) type Reply = Response<UnsyncBoxBody<Bytes, BoxError>>;
type Http = BoxCloneSyncService<Request<Body>, Response<DecompressionBody<Incoming>>, BoxError>;
type Tcp = HttpConnector<MapErr<GaiResolver, fn(std::io::Error) -> UnknownHost>>;

pub(super) struct Transport {
    make: Box<dyn Fn() -> Http + Send + Sync>,
    /// The pool of connections, replaced by an empty one when the client's certificate changes.
    current: Mutex<(u64, Http)>,
    patience: Patience,
    user_agent: HeaderValue,
}

impl Transport {
    pub(super) fn new(
        settings: &ConnectSettings,
        identity: Option<Arc<Identity>>,
        patience: Patience,
    ) -> Result<Self, Error> {
        let make = pool_factory(settings, Tls::new(settings, identity)?)?;
        Ok(Self { current: Mutex::new((0, make())), make, patience, user_agent: user_agent() })
    }

    /// Sends one request. Connections of an older `generation` are not reused.
    ///
    /// # Errors The connection fails or breaks, or the server is silent for too long. Watches and followed logs may be
    /// silent after the start of their answer.
    pub(super) async fn send(&self, mut request: Request<Body>, generation: u64) -> Result<Reply, BoxError> {
        request.headers_mut().insert(USER_AGENT, self.user_agent.clone());
        let streams = has_query_flag(request.uri(), "watch") || has_query_flag(request.uri(), "follow");
        let reply = self.patience.wait(self.current_pool(generation).oneshot(request)).await??;
        let (head, body) = reply.into_parts();
        let body = if streams { body.boxed_unsync() } else { self.patience.guard(body) };
        Ok(Response::from_parts(head, body))
    }

    fn current_pool(&self, generation: u64) -> Http {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 < generation {
            *current = (generation, (self.make)());
        }
        current.1.clone()
    }
}

pub(super) fn has_query_flag(uri: &Uri, name: &str) -> bool {
    let is_set = |pair: &str| matches!(pair.split_once('=').unwrap_or((pair, "1")), (key, "true" | "1") if key == name);
    uri.query().is_some_and(|query| query.split('&').any(is_set))
}

/// `kubectl-indexed/VERSION (OS/ARCHITECTURE)`, the latter two in Go's words, as in kubectl.
fn user_agent() -> HeaderValue {
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
    let text = format!("kubectl-indexed/{} ({os}/{arch})", env!("CARGO_PKG_VERSION"));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("kubectl-indexed"))
}

/// Returns a function that makes an empty pool of connections.
fn pool_factory(settings: &ConnectSettings, tls: Tls) -> Result<Box<dyn Fn() -> Http + Send + Sync>, Error> {
    let gzip = !settings.disable_compression;
    let Some(proxy) = settings.proxy.clone() else {
        return Ok(Box::new(move || build_client(tls.wrap(tcp_connector()), gzip)));
    };
    if proxy.uri.scheme_str() == Some("socks5") {
        return Ok(Box::new(move || {
            let proxy = proxy.clone();
            build_client(
                tls.wrap(tower::service_fn(move |to| connect_through_socks(proxy.clone(), to).map_err(ProxyFailed))),
                gzip,
            )
        }));
    }
    // The server's TLS name does not apply to the proxy.
    let own = Tls { server_name: None, ..tls.clone() };
    let login = proxy.login.as_ref().map(|(name, password)| basic(name, password)).transpose()?;
    let to = proxy.uri;
    if !matches!(to.scheme_str(), Some("http" | "https")) {
        return Err(Error::usage(format!("the proxy {to} must have the scheme http, https or socks5")));
    }
    if settings.server.scheme_str() == Some("http") {
        // Without TLS the proxy itself handles the requests.
        return Ok(Box::new(move || {
            let to = to.clone();
            let through =
                own.wrap(tcp_connector()).map_request(move |_| to.clone()).map_response(Forwarded).map_err(ProxyFailed);
            let client = build_client(through, gzip);
            BoxCloneSyncService::new(SetRequestHeader::overriding(client, PROXY_AUTHORIZATION, login.clone()))
        }));
    }
    Ok(Box::new(move || {
        let tunnel = Tunnel::new(to.clone(), own.wrap(tcp_connector()));
        let tunnel = match &login {
            Some(login) => tunnel.with_auth(login.clone()),
            None => tunnel,
        };
        build_client(tls.wrap(tunnel.map_err(|error| ProxyFailed(error.into()))), gzip)
    }))
}

fn tcp_connector() -> Tcp {
    let mut tcp = HttpConnector::new_with_resolver(GaiResolver::new().map_err(UnknownHost as fn(_) -> _));
    // Allows `https`: TLS is added by a layer above.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
    tcp
}

/// Connects through a SOCKS 5 proxy, which resolves the server's name. As in Go, the proxy may skip the login.
async fn connect_through_socks(Proxy { uri, login }: Proxy, to: Uri) -> Result<TokioIo<TcpStream>, BoxError> {
    let stream = tcp_connector().oneshot(uri).await?.into_inner();
    let port = to.port_u16().unwrap_or(if to.scheme_str() == Some("https") { 443 } else { 80 });
    let to = (to.host().unwrap_or_default().trim_matches(['[', ']']), port);
    let through = match &login {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, to, user, password.reveal()).await?
        }
        None => Socks5Stream::connect_with_socket(stream, to).await?,
    };
    Ok(TokioIo::new(through.into_inner()))
}

/// Adds TLS to connections for `https`.
#[derive(Clone)]
struct Tls {
    config: ClientConfig,
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    fn new(settings: &ConnectSettings, identity: Option<Arc<Identity>>) -> Result<Self, Error> {
        let server_name = settings.tls_server_name.clone().map(|name| {
            ServerName::try_from(name.clone())
                .map_err(|_| Error::usage(format!("the TLS server name {name:?} is not a host name")))
        });
        Ok(Self { config: super::tls::config(settings, identity)?, server_name: server_name.transpose()? })
    }

    fn wrap<C>(&self, inner: C) -> hyper_rustls::HttpsConnector<C> {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.config.clone()).https_or_http();
        let builder = match &self.server_name {
            Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
            None => builder,
        };
        builder.enable_http1().wrap_connector(inner)
    }
}

fn build_client<C>(connector: C, gzip: bool) -> Http
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
        .build(
            connector.map_err(Into::into).map_future(|connecting| with_timeout(CONNECT_TIMEOUT, connecting).boxed()),
        );
    BoxCloneSyncService::new(Decompression::new(client).gzip(gzip).map_err(BoxError::from))
}

async fn with_timeout<T>(
    limit: Duration,
    connecting: impl Future<Output = Result<T, BoxError>>,
) -> Result<T, BoxError> {
    tokio::time::timeout(limit, connecting).await.map_err(|_| ConnectTimeout(limit))?
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {0:?}")]
pub(super) struct ConnectTimeout(pub(super) Duration);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct UnknownHost(std::io::Error);

#[derive(Debug, thiserror::Error)]
#[error("the proxy did not connect")]
pub(super) struct ProxyFailed(#[source] BoxError);

/// A connection to a proxy that handles requests itself. It makes hyper send the whole URL.
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
    async fn a_connection_has_a_time_limit() {
        let limit = Duration::from_millis(20);
        let error = with_timeout(limit, std::future::pending::<Result<(), BoxError>>()).await.unwrap_err();
        assert_eq!(error.downcast_ref::<ConnectTimeout>().unwrap().0, limit);
    }
}
