//! What `-o` prints by a template or by columns of one's own.

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::Context;
use crate::args::{CustomFormat, DataFormat, OutputFormat};
use crate::error::{Error, Kind};
use crate::manifest;
use crate::view::ColumnWidths;
use crate::view::jsonpath::{Columns, Fault, Template};

/// A form of one's own.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) flag: &'static str,
    what: What,
    headers: bool,
    /// The columns that are printed so far.
    widths: Option<ColumnWidths>,
}

#[derive(Debug)]
enum What {
    Text(Template),
    Json(Template),
    Columns(Columns),
}

/// What `-o` asks for: one of both, or nothing.
#[derive(Debug)]
pub(crate) struct Output<T> {
    pub(crate) word: Option<T>,
    pub(crate) custom: Option<Custom>,
}

impl<T> Output<T> {
    pub(crate) fn is_some(&self) -> bool {
        self.word.is_some() || self.custom.is_some()
    }
}

/// Reads what `-o` asks for, before anything is asked of the server.
pub(crate) fn read<T>(form: Option<OutputFormat<T>>, headers: bool) -> Result<Output<T>> {
    let (custom, text) = match form {
        None => return Ok(Output { word: None, custom: None }),
        Some(OutputFormat::Word(word)) => return Ok(Output { word: Some(word), custom: None }),
        Some(OutputFormat::Custom(custom, text)) => (custom, text),
    };
    let (flag, read) = match custom {
        CustomFormat::JsonPath => ("-o jsonpath", Template::parse(&text).map(What::Text)),
        CustomFormat::JsonPathAsJson => ("-o jsonpath-as-json", Template::parse(&text).map(What::Json)),
        CustomFormat::JsonPathFile => ("-o jsonpath-file", Template::parse(&file(&text)?).map(What::Text)),
        CustomFormat::CustomColumns => ("-o custom-columns", Columns::parse(&text).map(What::Columns)),
        CustomFormat::CustomColumnsFile => {
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
    /// Prints a list; columns are those of its items.
    pub(crate) fn list(&mut self, list: &Value, context: &mut Context) -> Result<()> {
        match &self.what {
            What::Columns(_) => self.each(list["items"].as_array().map_or(&[], Vec::as_slice), context),
            _ => self.each(std::slice::from_ref(list), context),
        }
    }

    /// Prints objects one by one; may be called again for more of them.
    pub(crate) fn each(&mut self, objects: &[Value], context: &mut Context) -> Result<()> {
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
                    rows.insert(0, columns.names.clone());
                }
                let widths = self.widths.get_or_insert_with(|| {
                    let mut widths = ColumnWidths::default();
                    // As narrow as kubectl's columns get.
                    widths.fit(&vec!["   ".to_owned(); columns.names.len()]);
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

pub(crate) fn data(value: &Value, format: DataFormat) -> Result<String> {
    Ok(match format {
        DataFormat::Json => format!("{}\n", serde_json::to_string_pretty(value)?),
        DataFormat::Yaml => manifest::yaml::documents(std::slice::from_ref(value)).context("writing YAML")?,
    })
}

/// The form of data that a word of `-o` stands for.
pub(crate) fn data_format(word: &impl ValueEnum) -> Option<DataFormat> {
    DataFormat::from_str(word.to_possible_value()?.get_name(), false).ok()
}

/// Jobs as kubectl prints several objects.
pub(crate) fn list_of(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// A Job with all its fields, as templates find them.
pub(crate) fn object(job: &Job) -> Result<Value> {
    let mut item = json!({"apiVersion": "batch/v1", "kind": "Job"});
    if let (Some(item), Value::Object(fields)) = (item.as_object_mut(), serde_json::to_value(job)?) {
        item.extend(fields);
    }
    Ok(item)
}

/// A Job with the fields that `kubectl get -o json` shows.
pub(crate) fn shown(job: &Job) -> Result<Value> {
    let mut item = object(job)?;
    manifest::strip_server_fields(&mut item);
    Ok(item)
}
