//! `list`: the Indexed Jobs of a namespace, or of all.

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::Context;
use crate::args::{ListArgs, ListFormat};
use crate::error::Exit;
use crate::manifest;
use crate::state;
use crate::view::list::{Columns, jobs as table};

pub(super) async fn list(args: ListArgs, context: &mut Context) -> Result<Exit> {
    let ListArgs { all_namespaces, selector, output, no_headers } = args;
    let cluster = context.cluster().await?;
    let mut jobs = cluster.jobs(all_namespaces, selector.as_deref()).await?;
    jobs.retain(state::is_indexed);
    jobs.sort_by(|a, b| {
        let newest_first = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        newest_first.then_with(|| a.metadata.name.cmp(&b.metadata.name))
    });

    match output {
        None | Some(ListFormat::Wide) => {
            if jobs.is_empty() {
                let place = if all_namespaces {
                    "any namespace".to_owned()
                } else {
                    format!("namespace {}", cluster.namespace())
                };
                context.ui.status(&format!("there is no Indexed Job in {place}"));
                return Ok(Exit::Success);
            }
            let wide = output == Some(ListFormat::Wide);
            let columns = Columns { namespace: all_namespaces, wide, headers: !no_headers };
            let text = table(&jobs, columns, context.now());
            context.ui.data(text)?;
        }
        Some(ListFormat::Name) => {
            for job in &jobs {
                context.ui.data(format!("job.batch/{}\n", job.metadata.name.as_deref().unwrap_or_default()))?;
            }
        }
        Some(ListFormat::Json) => {
            let text = serde_json::to_string_pretty(&list_of(&jobs)?)?;
            context.ui.data(format!("{text}\n"))?;
        }
        Some(ListFormat::Yaml) => {
            let text = manifest::yaml::documents(&[list_of(&jobs)?]).context("writing YAML")?;
            context.ui.data(text)?;
        }
    }
    Ok(Exit::Success)
}

/// The Jobs as kubectl prints several objects.
fn list_of(jobs: &[Job]) -> Result<Value> {
    let mut items = Vec::new();
    for job in jobs {
        let mut item = json!({"apiVersion": "batch/v1", "kind": "Job"});
        if let (Some(item), Value::Object(fields)) = (item.as_object_mut(), serde_json::to_value(job)?) {
            item.extend(fields);
        }
        manifest::clean(&mut item);
        items.push(item);
    }
    Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}))
}
