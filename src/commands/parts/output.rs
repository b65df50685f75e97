//! Prints objects as `-o` says: by a template, by columns, or as JSON or YAML.

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::Context;
use crate::args::{CustomFormat, DataFormat, OutputFormat};
use crate::error::{Error, Kind};
use crate::manifest;
use crate::view::ColumnWidths;
use crate::view::gotemplate::GoTemplate;
use crate::view::jsonpath::{PathColumns, PathTemplate, TemplateFault};

/// A template or columns that the user gave.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) flag: &'static str,
    template: CustomTemplate,
    headers: bool,
    /// The widths of the columns, known once the first rows are printed.
    widths: Option<ColumnWidths>,
}

#[derive(Debug)]
enum CustomTemplate {
    Text(PathTemplate),
    Json(PathTemplate),
    Go(GoTemplate),
    Columns(PathColumns),
}

/// The value of `-o`: a word, a custom form, or none.
#[derive(Debug)]
pub(crate) struct OutputChoice<T> {
    pub(crate) word: Option<T>,
    pub(crate) custom: Option<Custom>,
}

impl<T> OutputChoice<T> {
    pub(crate) fn is_some(&self) -> bool {
        self.word.is_some() || self.custom.is_some()
    }
}

/// Parses the value of `-o`, before any request to the server.
pub(crate) fn read<T>(form: Option<OutputFormat<T>>, headers: bool) -> Result<OutputChoice<T>> {
    let (custom, text) = match form {
        None => return Ok(OutputChoice { word: None, custom: None }),
        Some(OutputFormat::Word(word)) => return Ok(OutputChoice { word: Some(word), custom: None }),
        Some(OutputFormat::Custom(custom, text)) => (custom, text),
    };
    let (flag, read) = match custom {
        CustomFormat::JsonPath => ("-o jsonpath", PathTemplate::parse(&text).map(CustomTemplate::Text)),
        CustomFormat::JsonPathAsJson => ("-o jsonpath-as-json", PathTemplate::parse(&text).map(CustomTemplate::Json)),
        CustomFormat::JsonPathFile => {
            ("-o jsonpath-file", PathTemplate::parse(&file(&text)?).map(CustomTemplate::Text))
        }
        CustomFormat::GoTemplate => ("-o go-template", GoTemplate::parse(&text).map(CustomTemplate::Go)),
        CustomFormat::GoTemplateFile => {
            ("-o go-template-file", GoTemplate::parse(&file(&text)?).map(CustomTemplate::Go))
        }
        CustomFormat::CustomColumns => ("-o custom-columns", PathColumns::parse(&text).map(CustomTemplate::Columns)),
        CustomFormat::CustomColumnsFile => {
            ("-o custom-columns-file", PathColumns::parse_lines(&file(&text)?).map(CustomTemplate::Columns))
        }
    };
    let template = read.map_err(|fault| wrong(flag, &fault))?;
    Ok(OutputChoice { word: None, custom: Some(Custom { flag, template, headers, widths: None }) })
}

fn file(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("-o: the file {path} can't be read")).caused_by(error))
}

fn wrong(flag: &str, fault: &TemplateFault) -> Error {
    Error::usage(format!("{flag}: {fault}")).hint_if(fault.hint())
}

impl Custom {
    /// Prints a list. Columns apply to its items.
    pub(crate) fn list(&mut self, list: &Value, context: &mut Context) -> Result<()> {
        match &self.template {
            CustomTemplate::Columns(_) => self.each(list["items"].as_array().map_or(&[], Vec::as_slice), context),
            _ => self.each(std::slice::from_ref(list), context),
        }
    }

    /// Prints objects one by one. May be called repeatedly.
    pub(crate) fn each(&mut self, objects: &[Value], context: &mut Context) -> Result<()> {
        let mut text = Vec::new();
        match &self.template {
            CustomTemplate::Go(template) => {
                for object in objects {
                    text.extend(template.text(object).map_err(|fault| self.misfit(&fault))?.into_bytes());
                }
            }
            CustomTemplate::Text(template) | CustomTemplate::Json(template) => {
                let as_json = matches!(self.template, CustomTemplate::Json(_));
                for object in objects {
                    let printed = if as_json { template.json(object) } else { template.text(object) };
                    text.extend(printed.map_err(|fault| self.misfit(&fault))?);
                }
            }
            CustomTemplate::Columns(columns) => {
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

    fn misfit(&self, fault: &TemplateFault) -> Error {
        Error::new(Kind::Failed, format!("{}: {fault}", self.flag)).hint("-o json prints what there is to choose from")
    }
}

pub(crate) fn data(value: &Value, format: DataFormat) -> Result<String> {
    Ok(match format {
        DataFormat::Json => format!("{}\n", serde_json::to_string_pretty(value)?),
        DataFormat::Yaml => manifest::yaml::documents(std::slice::from_ref(value)).context("writing YAML")?,
    })
}

/// Returns the data format that a word of `-o` names.
pub(crate) fn data_format(word: &impl ValueEnum) -> Option<DataFormat> {
    DataFormat::from_str(word.to_possible_value()?.get_name(), false).ok()
}

/// Returns several objects as one list, as kubectl prints them.
pub(crate) fn list_of(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// Returns a Job with all its fields, for templates.
pub(crate) fn object(job: &Job) -> Result<Value> {
    let mut item = json!({"apiVersion": "batch/v1", "kind": "Job"});
    if let (Some(item), Value::Object(fields)) = (item.as_object_mut(), serde_json::to_value(job)?) {
        item.extend(fields);
    }
    Ok(item)
}

/// Returns a Job with the fields that `kubectl get -o json` prints.
pub(crate) fn shown(job: &Job) -> Result<Value> {
    let mut item = object(job)?;
    manifest::strip_server_fields(&mut item);
    Ok(item)
}
