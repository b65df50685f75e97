//! The versions of the program and the server, and the features of the server.

use std::fmt::Write as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerFeature {
    pub(crate) what: String,
    pub(crate) is_supported: bool,
    /// The minor version of Kubernetes 1 that added it.
    pub(crate) since: u32,
    /// What happens without it.
    pub(crate) instead: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerFeatures {
    /// As the server reports it, such as `v1.36.1`.
    pub(crate) version: String,
    pub(crate) features: Vec<ServerFeature>,
    pub(crate) kueue: bool,
}

/// Returns the versions, then the features that the server supports, then the others.
pub(crate) fn page(client: &str, server: Option<&ServerFeatures>) -> String {
    let mut text = format!("Client Version: v{client}\n");
    let Some(ServerFeatures { version, features, kueue }) = server else { return text };
    let _ = writeln!(text, "Server Version: {version}");
    for (title, is_supported) in [("Supported by this server:\n", true), ("Not supported by this server:\n", false)] {
        let features: Vec<_> = features.iter().filter(|feature| feature.is_supported == is_supported).collect();
        text.push_str(if features.is_empty() { "" } else { title });
        for ServerFeature { what, since, instead, .. } in features {
            let instead = if is_supported { String::new() } else { format!(": {instead}") };
            let _ = writeln!(text, "  {what} (since 1.{since}){instead}");
        }
    }
    text.push_str(if *kueue {
        "Kueue is installed: --queue submits a Job to one of its queues.\n"
    } else {
        "Kueue is not installed: a Job with --queue would wait forever.\n"
    });
    text
}
