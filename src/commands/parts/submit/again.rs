//! The same submission again, after the first was cut off somewhere: its digest tells that it is the same.

use anyhow::Result;
use aws_lc_rs::digest::{Context as Hash, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::How;
use crate::cluster::{Cluster, Created};
use crate::commands::{Context, output};
use crate::contract::{self, annotation};
use crate::error::{Error, Kind};
use crate::manifest::Manifest;
use crate::state::{self, Outcome};

/// A digest of all that is submitted. The same command makes the same objects, unless it mixes the items.
pub(crate) fn digest(manifest: &Manifest) -> String {
    let mut hash = Hash::new(&SHA256);
    for object in std::iter::once(&manifest.job).chain(&manifest.config_maps) {
        let mut object = object.clone();
        // It says where they are, not what: a flag and the context may name the same.
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.shift_remove("namespace");
        }
        hash.update(object.to_string().as_bytes());
        hash.update(b"\n");
    }
    URL_SAFE_NO_PAD.encode(hash.finish())
}

/// What there is of an earlier submission of the same: the Job, to be taken up or left to go on.
pub(crate) async fn find(
    exists: Error,
    name: &str,
    digest: &str,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<(Created, How)> {
    let shows = context.next(&format!("describe {name}"), "shows it");
    let Ok(job) = cluster.job(name).await else { return Err(exists.hint(shows).into()) };
    let is_same = contract::noted(&job, annotation::DIGEST) == Some(digest);
    if !is_same && state::resumed(&job).is_some() && state::is_submitting(&job) {
        // More may have succeeded meanwhile: then less is left, and what was begun is another Job.
        let delete = context.again(&format!("delete {name}"));
        return Err(Error::new(
            Kind::AlreadyExists,
            format!(
                "job {name:?} was begun and cut off, to run what was left of a list, and now that is something else"
            ),
        )
        .hint(format!("nothing of it has run: {delete} removes it, and then the same command again makes it anew"))
        .into());
    }
    let outcome = state::outcome(&job);
    let retry = |words: &str, does: &str| {
        let failed = outcome.is_some_and(|outcome| outcome != Outcome::Complete);
        failed.then(|| context.next(&format!("retry {name}{words}"), does))
    };
    if !is_same {
        let retry = retry(" -- COMMAND", "runs its failed indexes again by another command");
        return Err(exists
            .hint_if(retry)
            .hint(shows)
            .hint("choose another --name, or leave it out to have one made")
            .into());
    }
    let refused = |why: &str| {
        Error::new(Kind::AlreadyExists, format!("job {name:?} is there already, made by this same command, and {why}"))
    };
    if job.metadata.deletion_timestamp.is_some() {
        return Err(refused("is being deleted")
            .hint(format!("once {} has ended, it can be made anew", context.again(&format!("delete {name}"))))
            .into());
    }
    if let Some(outcome) = outcome {
        let why = if outcome == Outcome::Complete { "has completed" } else { "has failed" };
        return Err(refused(why)
            .hint_if(retry("", "runs its failed indexes again"))
            .hint(context.next(&format!("results {name} --to DIR"), "keeps what it wrote"))
            .hint(context.next(&format!("delete {name}"), "makes room for a new one, and so does another --name"))
            .into());
    }
    let how = if state::is_submitting(&job) {
        context.ui.status(&format!("job {name} was begun by this same command and cut off: taking it up"));
        How::TakenUp
    } else {
        How::Unchanged
    };
    Ok((Created { object: output::shown(&job)? }, how))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_tells_every_object_apart() {
        let manifest = |command: &str, item: &str| Manifest {
            job: json!({"spec": {"command": command}}),
            config_maps: vec![json!({"data": {"0": item}})],
        };
        let one = digest(&manifest("rev", "foo"));
        assert_eq!(one.len(), 43);
        assert_eq!(one, digest(&manifest("rev", "foo")));
        assert_ne!(one, digest(&manifest("rev", "bar")));
        assert_ne!(one, digest(&manifest("tac", "foo")));
        let mut elsewhere = manifest("rev", "foo");
        elsewhere.job["metadata"] = json!({"namespace": "there", "name": "x"});
        let mut here = manifest("rev", "foo");
        here.job["metadata"] = json!({"name": "x"});
        assert_eq!(digest(&elsewhere), digest(&here));
    }
}
