//! A proxy in front of the API server. It reads HTTP/1.1, one request after the other on each connection, counts every call
//! and injects one fault.

use std::collections::BTreeMap;
use std::future::pending;
use std::io::{Error, Result};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::call::Call;
use crate::fault::Fault;

/// The delay of a late watch.
const LATE: Duration = Duration::from_secs(2);

/// A fault, and the calls that it hits.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    pub(crate) call: Call,
    /// The number of the first failing call, counted from 1.
    pub(crate) from: usize,
    /// Whether all later calls fail, too.
    pub(crate) lasts: bool,
    pub(crate) fault: Fault,
}

/// The proxy of one run of the program. All its connections end when it is dropped.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    serving: AbortHandle,
    pub(crate) url: String,
}

struct Shared {
    upstream: u16,
    injection: Option<Injection>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    calls: BTreeMap<Call, usize>,
    /// The number of injected faults.
    fired: usize,
}

impl Proxy {
    pub(crate) fn start(runtime: &Runtime, upstream: u16, injection: Option<Injection>) -> Self {
        let shared = Arc::new(Shared { upstream, injection, counts: Mutex::default() });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepting = Arc::clone(&shared);
        let serving = runtime.spawn(async move {
            // Aborts all connections when this task is aborted.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&accepting);
                // Broken connections are the purpose of the proxy.
                connections.spawn(async move { drop(serve(client, &shared).await) });
            }
        });
        Self { shared, serving: serving.abort_handle(), url }
    }

    /// Returns the number of times that each call was made.
    pub(crate) fn calls(&self) -> BTreeMap<Call, usize> {
        self.shared.counts.lock().unwrap().calls.clone()
    }

    /// Returns the number of injected faults.
    pub(crate) fn fired(&self) -> usize {
        self.shared.counts.lock().unwrap().fired
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    /// Counts a call, and returns the fault to inject into it.
    fn note(&self, call: &Call) -> Option<Fault> {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.calls.entry(call.clone()).or_default();
        *count += 1;
        let count = *count;
        let injection = self.injection.as_ref().filter(|injection| injection.call == *call)?;
        let is_hit = count == injection.from || injection.lasts && count > injection.from;
        counts.fired += usize::from(is_hit);
        is_hit.then_some(injection.fault)
    }
}

/// The head of a request or a response, and how its body ends.
struct Head {
    bytes: Vec<u8>,
    body: Body,
}

enum Body {
    Length(usize),
    Chunked,
    UntilClosed,
}

impl Head {
    /// Reads a head; `None` if the connection was closed before it.
    async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Self>> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            if from.read_until(b'\n', &mut bytes).await? == 0 {
                return if bytes.is_empty() { Ok(None) } else { Err(Error::other("the head is cut")) };
            }
            if bytes[start..] == *b"\r\n" {
                break;
            }
        }
        let mut head = Self { bytes, body: Body::UntilClosed };
        let field = |name| head.field(name);
        let chunked = field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = field("content-length").map(|value| value.parse().unwrap());
        head.body = match length {
            _ if chunked => Body::Chunked,
            Some(length) => Body::Length(length),
            // A request without a length has no body, and neither have these responses.
            None if !head.bytes.starts_with(b"HTTP/") || ["204", "304"].contains(&head.word(1)) => Body::Length(0),
            None => Body::UntilClosed,
        };
        Ok(Some(head))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// Returns a word of the first line.
    fn word(&self, number: usize) -> &str {
        self.text().split_ascii_whitespace().nth(number).unwrap()
    }

    fn field(&self, name: &str) -> Option<&str> {
        let fields = self.text().lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// The part of a response that is passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    All,
    /// Half of the body, or of its first chunk.
    Half,
    Head,
    Nothing,
}

async fn serve(client: TcpStream, shared: &Shared) -> Result<()> {
    client.set_nodelay(true)?;
    let (reader, mut client) = client.into_split();
    let mut reader = BufReader::new(reader);
    let mut server = None;
    while let Some(request) = Head::read(&mut reader).await? {
        let Body::Length(length) = request.body else { return Err(Error::other("a request of unknown length")) };
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await?;
        let call = Call::new(request.word(0), request.word(1));
        let fault = shared.note(&call);
        let answering = answer(&call, fault, [&request.bytes, &body], &mut server, shared.upstream, &mut client);
        // No client sends a second request before the first response, so this is the end of the connection.
        let goes_on = tokio::select! {
            goes_on = answering => goes_on?,
            _ = reader.fill_buf() => false,
        };
        if !goes_on {
            break;
        }
    }
    Ok(())
}

type Server = BufReader<TcpStream>;

/// Answers one request. Returns false if the connection must be closed after it.
async fn answer(
    call: &Call,
    fault: Option<Fault>,
    request: [&[u8]; 2],
    server: &mut Option<Server>,
    upstream: u16,
    client: &mut OwnedWriteHalf,
) -> Result<bool> {
    let passing = match fault {
        None | Some(Fault::LateWatch) => Passing::All,
        Some(Fault::CutBody) => Passing::Half,
        Some(Fault::SilentWatch) => Passing::Head,
        Some(fault) => {
            if fault.acts() {
                forward(call, request, server, upstream, client, Passing::Nothing).await?;
            }
            if let Some(answer) = fault.answer() {
                client.write_all(&answer).await?;
                return Ok(true);
            }
            if fault == Fault::Stall {
                pending::<()>().await;
            }
            client.as_ref().set_zero_linger()?;
            return Ok(false);
        }
    };
    if fault == Some(Fault::LateWatch) {
        sleep(LATE).await;
    }
    let goes_on = forward(call, request, server, upstream, client, passing).await?;
    if passing == Passing::Head {
        pending::<()>().await;
    }
    Ok(goes_on && passing == Passing::All)
}

/// Sends a request to the server, and passes its response on.
async fn forward(
    call: &Call,
    request: [&[u8]; 2],
    server: &mut Option<Server>,
    upstream: u16,
    client: &mut OwnedWriteHalf,
    passing: Passing,
) -> Result<bool> {
    let mut connection = match server.take() {
        Some(connection) => connection,
        None => BufReader::new(TcpStream::connect(("127.0.0.1", upstream)).await?),
    };
    connection.get_mut().write_all(&request.concat()).await?;
    let head = Head::read(&mut connection).await?.ok_or_else(|| Error::other("the server gives no answer"))?;
    if passing != Passing::Nothing {
        client.write_all(&head.bytes).await?;
    }
    if passing == Passing::Head || passing == Passing::Nothing && call.is_stream() {
        return Ok(false);
    }
    pass_body(&head.body, &mut connection, client, passing).await?;
    let goes_on = !matches!(head.body, Body::UntilClosed);
    if goes_on && passing != Passing::Half {
        *server = Some(connection);
    }
    Ok(goes_on)
}

async fn pass_body(body: &Body, server: &mut Server, client: &mut OwnedWriteHalf, passing: Passing) -> Result<()> {
    let passed = |length: usize| match passing {
        Passing::All => length,
        Passing::Half => length / 2,
        Passing::Head | Passing::Nothing => 0,
    };
    match *body {
        Body::Length(length) => {
            let mut bytes = vec![0; length];
            server.read_exact(&mut bytes).await?;
            client.write_all(&bytes[..passed(length)]).await
        }
        Body::UntilClosed => {
            let mut bytes = Vec::new();
            server.read_to_end(&mut bytes).await?;
            client.write_all(&bytes[..passed(bytes.len())]).await
        }
        Body::Chunked => loop {
            let mut line = String::new();
            server.read_line(&mut line).await?;
            let size = line.trim().split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).map_err(Error::other)?;
            let mut chunk = vec![0; size + 2];
            server.read_exact(&mut chunk).await?;
            match passing {
                Passing::Half if size > 0 => {
                    return client.write_all(&[line.as_bytes(), &chunk[..size / 2]].concat()).await;
                }
                Passing::All => client.write_all(&[line.as_bytes(), &chunk].concat()).await?,
                _ => {}
            }
            if size == 0 {
                return Ok(());
            }
        },
    }
}
