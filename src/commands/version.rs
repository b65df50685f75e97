//! `version`: prints the versions of the plugin and the server, and the server's features.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::Context;
use super::output::data;
use crate::args::VersionArgs;
use crate::cluster::ServerVersion;
use crate::error::Exit;
use crate::spec::server::{self, Feature};
use crate::view::version::{self as view, ServerFeature, ServerFeatures};

const CLIENT: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn version(args: VersionArgs, context: &mut Context) -> Result<Exit> {
    let VersionArgs { client, output } = args;
    let answer = if client { None } else { Some(request_version(context).await) };
    let server = answer.as_ref().and_then(|answer| answer.as_ref().ok());
    let text = match output {
        None => view::page(CLIENT, server.map(describe).as_ref()),
        Some(format) => data(&object(server), format)?,
    };
    context.ui.data(text)?;
    answer.transpose().map(|_| Exit::Success)
}

async fn request_version(context: &Context) -> Result<ServerVersion> {
    Ok(context.cluster().await?.server_version().await?)
}

fn describe(server: &ServerVersion) -> ServerFeatures {
    let feature = |feature: Feature| ServerFeature {
        what: feature.what.to_owned(),
        is_supported: server.minor >= feature.since,
        since: feature.since,
        instead: feature.instead.to_owned(),
    };
    ServerFeatures {
        version: server.text.clone(),
        features: server::FEATURES.into_iter().map(feature).collect(),
        kueue: server.kueue,
    }
}

fn object(server: Option<&ServerVersion>) -> Value {
    let mut object = json!({"clientVersion": {"gitVersion": format!("v{CLIENT}")}});
    if let Some(server) = server {
        let features = server::FEATURES.map(|feature| (feature.name.to_owned(), json!(server.minor >= feature.since)));
        let mut features: Map<_, _> = features.into_iter().collect();
        features.insert("kueue".to_owned(), json!(server.kueue));
        object["serverVersion"] = json!({"gitVersion": server.text});
        object["serverFeatures"] = Value::Object(features);
    }
    object
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn page(minor: u32, kueue: bool) -> String {
        let server = ServerVersion { text: format!("v1.{minor}.4"), minor, kueue };
        view::page("1.2.3", Some(&describe(&server)))
    }

    #[test]
    fn an_old_server_lacks_features() {
        assert_snapshot!(page(28, false), @"
        Client Version: v1.2.3
        Server Version: v1.28.4
        Supported by this server:
          Indexed Jobs (since 1.24)
          a drained node does not count as a failure; --ignore-exit (since 1.26)
        Not supported by this server:
          retries of each index; --max-evictions, --max-failed, --fail-fast, --fail-on-exit (since 1.29): one limit for the whole Job; --fail-on-exit is refused
          a Pod is replaced only after it has ended (podReplacementPolicy) (since 1.29): a Pod may be replaced while it is still ending
          --success-indexes, --success-count (since 1.31): both are refused
          items in arguments and variables, and retry, without a shell in the image (since 1.35): a shell in the image passes the items
        Kueue is not installed: a Job with --queue would wait forever.
        ");
        assert_snapshot!(page(30, true), @"
        Client Version: v1.2.3
        Server Version: v1.30.4
        Supported by this server:
          Indexed Jobs (since 1.24)
          a drained node does not count as a failure; --ignore-exit (since 1.26)
          retries of each index; --max-evictions, --max-failed, --fail-fast, --fail-on-exit (since 1.29)
          a Pod is replaced only after it has ended (podReplacementPolicy) (since 1.29)
        Not supported by this server:
          --success-indexes, --success-count (since 1.31): both are refused
          items in arguments and variables, and retry, without a shell in the image (since 1.35): a shell in the image passes the items
        Kueue is installed: --queue submits a Job to one of its queues.
        ");
    }

    #[test]
    fn a_new_server_lacks_nothing() {
        assert_snapshot!(page(36, true), @"
        Client Version: v1.2.3
        Server Version: v1.36.4
        Supported by this server:
          Indexed Jobs (since 1.24)
          a drained node does not count as a failure; --ignore-exit (since 1.26)
          retries of each index; --max-evictions, --max-failed, --fail-fast, --fail-on-exit (since 1.29)
          a Pod is replaced only after it has ended (podReplacementPolicy) (since 1.29)
          --success-indexes, --success-count (since 1.31)
          items in arguments and variables, and retry, without a shell in the image (since 1.35)
        Kueue is installed: --queue submits a Job to one of its queues.
        ");
    }
}
