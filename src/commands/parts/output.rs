//! What `-o` prints by a template or by columns of one's own.

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::Context;
use crate::args::{CustomForm, DataFormat, Form};
use crate::error::{Error, Kind};
use crate::manifest;
use crate::view::Widths;
use crate::view::jsonpath::{Columns, Fault, Template};

/// A form of one's own.
#[derive(Debug)]
pub(in crate::commands) struct Custom {
    /// As the user calls it.
    flag: &'static str,
    what: What,
    headers: bool,
    /// The columns that are printed so far.
    widths: Option<Widths>,
}

#[derive(Debug)]
enum What {
    Text(Template),
    Json(Template),
    Columns(Columns),
}

/// What `-o` asks for: one of both, or nothing.
#[derive(Debug)]
pub(in crate::commands) struct Output<T> {
    pub(in crate::commands) word: Option<T>,
    pub(in crate::commands) custom: Option<Custom>,
}

impl<T> Output<T> {
    /// Whether anything is asked for.
    pub(in crate::commands) fn is_some(&self) -> bool {
        self.word.is_some() || self.custom.is_some()
    }
}

/// What `-o` asks for.
///
/// # Errors
/// A usage error if a template can't be read, before anything is asked of the server.
pub(in crate::commands) fn read<T>(form: Option<Form<T>>, headers: bool) -> Result<Output<T>> {
    let (custom, text) = match form {
        None => return Ok(Output { word: None, custom: None }),
        Some(Form::Word(word)) => return Ok(Output { word: Some(word), custom: None }),
        Some(Form::Custom(custom, text)) => (custom, text),
    };
    let (flag, read) = match custom {
        CustomForm::JsonPath => ("-o jsonpath", Template::parse(&text).map(What::Text)),
        CustomForm::JsonPathAsJson => ("-o jsonpath-as-json", Template::parse(&text).map(What::Json)),
        CustomForm::JsonPathFile => ("-o jsonpath-file", Template::parse(&file(&text)?).map(What::Text)),
        CustomForm::CustomColumns => ("-o custom-columns", Columns::parse(&text).map(What::Columns)),
        CustomForm::CustomColumnsFile => {
            ("-o custom-columns-file", Columns::parse_lines(&file(&text)?).map(What::Columns))
        }
    };
    let what = read.map_err(|fault| wrong(flag, &fault))?;
    Ok(Output { word: None, custom: Some(Custom { flag, what, headers, widths: None }) })
}

fn file(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("-o: the file {path} can't be read")).caused_by(error))
}

fn wrong(flag: &str, fault: &Fault) -> Error {
    Error::usage(format!("{flag}: {fault}")).hint_if(fault.hint())
}

impl Custom {
    /// As the user calls it.
    pub(in crate::commands) fn flag(&self) -> &'static str {
        self.flag
    }

    /// Prints a list; columns are those of its items.
    ///
    /// # Errors
    /// If the template does not fit what is there.
    pub(in crate::commands) fn list(&mut self, list: &Value, context: &mut Context) -> Result<()> {
        match &self.what {
            What::Columns(_) => self.each(list["items"].as_array().map_or(&[], Vec::as_slice), context),
            _ => self.each(std::slice::from_ref(list), context),
        }
    }

    /// Prints objects one by one; may be called again for more of them.
    pub(in crate::commands) fn each(&mut self, objects: &[Value], context: &mut Context) -> Result<()> {
        let mut text = Vec::new();
        match &self.what {
            What::Text(template) | What::Json(template) => {
                let as_json = matches!(self.what, What::Json(_));
                for object in objects {
                    let printed = if as_json { template.json(object) } else { template.text(object) };
                    text.extend(printed.map_err(|fault| self.misfit(&fault))?);
                }
            }
            What::Columns(columns) => {
                let rows: Result<Vec<_>, _> = objects.iter().map(|object| columns.row(object)).collect();
                let mut rows = rows.map_err(|fault| self.misfit(&fault))?;
                if self.widths.is_none() && self.headers {
                    rows.insert(0, columns.names().to_vec());
                }
                let widths = self.widths.get_or_insert_with(|| {
                    let mut widths = Widths::default();
                    // As narrow as kubectl's columns get.
                    widths.fit(&vec!["   ".to_owned(); columns.names().len()]);
                    for row in &rows {
                        widths.fit(row);
                    }
                    widths
                });
                for row in &rows {
                    text.extend(widths.line(row).bytes());
                }
            }
        }
        Ok(context.ui.data(text)?)
    }

    fn misfit(&self, fault: &Fault) -> Error {
        Error::new(Kind::Failed, format!("{}: {fault}", self.flag)).hint("-o json prints what there is to choose from")
    }
}

/// A value in the form asked for.
pub(in crate::commands) fn data(value: &Value, format: DataFormat) -> Result<String> {
    Ok(match format {
        DataFormat::Json => format!("{}\n", serde_json::to_string_pretty(value)?),
        DataFormat::Yaml => manifest::yaml::documents(std::slice::from_ref(value)).context("writing YAML")?,
    })
}

/// Which fields of a Job are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Fields {
    /// Those that `kubectl get -o json` shows.
    Shown,
    /// Also who manages them, as templates find them.
    All,
}

/// The Jobs as kubectl prints several objects.
pub(in crate::commands) fn list_of(jobs: &[Job], fields: Fields) -> Result<Value> {
    let items = jobs.iter().map(|job| object(job, fields)).collect::<Result<Vec<_>>>()?;
    Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}))
}

/// A Job as kubectl prints it.
pub(in crate::commands) fn object(job: &Job, fields: Fields) -> Result<Value> {
    let mut item = json!({"apiVersion": "batch/v1", "kind": "Job"});
    if let (Some(item), Value::Object(fields)) = (item.as_object_mut(), serde_json::to_value(job)?) {
        item.extend(fields);
    }
    if fields == Fields::Shown {
        manifest::clean(&mut item);
    }
    Ok(item)
}
