//! `-o custom-columns`: a table whose columns are paths into the objects.

use serde_json::Value;

use super::{PathMatch, PathTemplate, TemplateFault, find};

#[derive(Clone, Debug)]
pub(crate) struct PathColumns {
    pub(crate) names: Vec<String>,
    paths: Vec<PathTemplate>,
}

impl PathColumns {
    /// Reads `NAME:.path,NAME:.path`.
    pub(crate) fn parse(spec: &str) -> Result<Self, TemplateFault> {
        let columns = spec.split(',').map(|column| {
            column.split_once(':').ok_or_else(|| {
                TemplateFault::of_data(format!("{column:?} has no path"))
                    .with("write each column as NAME:.path, as in NAME:.metadata.name,DONE:.status.succeeded")
            })
        });
        Self::parse_paths(columns.collect::<Result<_, _>>()?)
    }

    /// Reads a line of names and a line of paths.
    pub(crate) fn parse_lines(text: &str) -> Result<Self, TemplateFault> {
        let mut lines = text.lines().map(str::split_whitespace);
        let (Some(names), Some(paths)) = (lines.next(), lines.next()) else {
            return Err(TemplateFault::of_data("the file needs a line of names and a line of paths"));
        };
        let (names, paths): (Vec<_>, Vec<_>) = (names.collect(), paths.collect());
        if names.len() != paths.len() {
            return Err(TemplateFault::of_data(format!("{} names do not match {} paths", names.len(), paths.len())));
        }
        Self::parse_paths(names.into_iter().zip(paths).collect())
    }

    fn parse_paths(columns: Vec<(&str, &str)>) -> Result<Self, TemplateFault> {
        let (mut names, mut paths) = (Vec::new(), Vec::new());
        for (name, path) in columns {
            let template = complete_path(path).and_then(|path| PathTemplate::parse(&path));
            paths.push(template.map_err(|fault| TemplateFault {
                // The position is one in the completed path, not in the user's text.
                at: None,
                problem: format!("column {name}: {}", fault.problem),
                ..fault
            })?);
            names.push(name.to_owned());
        }
        Ok(Self { names, paths })
    }

    pub(crate) fn row(&self, object: &Value) -> Result<Vec<String>, TemplateFault> {
        let cell = |path: &PathTemplate| {
            let found = find(&path.0, object)?;
            let none = found.first().is_none_or(Vec::is_empty).then(|| "<none>".to_owned());
            let values = found.iter().flatten().map(PathMatch::plain);
            Ok(none.into_iter().chain(values).collect::<Vec<_>>().join(","))
        };
        self.paths.iter().map(cell).collect()
    }
}

/// Returns a path with its braces and its dot: both may be omitted in a column.
fn complete_path(path: &str) -> Result<String, TemplateFault> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let inner = path.strip_prefix('{').and_then(|path| path.strip_suffix('}')).unwrap_or(path);
    let bare = inner.strip_prefix('.').filter(|bare| !bare.is_empty()).unwrap_or(inner);
    if bare.is_empty() || bare.contains(['{', '}']) {
        return Err(TemplateFault::of_data(format!("{path:?} is not a path")).with("write a path as in .metadata.name"));
    }
    Ok(format!("{{.{bare}}}"))
}
