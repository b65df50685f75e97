//! Go templates, as in `kubectl get -o go-template=…`.
//!
//! As in kubectl, numbers are floats, a missing key prints `<no value>`, and there are the functions `exists` and
//! `base64decode`. Two things differ: a large number is printed in full, not as `1.23456789e+09`, and a `range` without an
//! `end` ends with the template.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gotmpl::{Template, Value as GoValue};
use serde_json::Value;

use super::jsonpath::TemplateFault;

pub(crate) struct GoTemplate(Template);

impl GoTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateFault> {
        let template = Template::new("output").func("exists", |args| Ok(exists(args))).func("base64decode", decode);
        template.parse(text).map(Self).map_err(|error| {
            TemplateFault::of_data(error.to_string())
                .with("write it as in '{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}'")
        })
    }

    /// Applies the template to a document; no line break is added.
    ///
    /// # Errors
    /// If a function gets a value that it can't take.
    pub(crate) fn text(&self, document: &Value) -> Result<String, TemplateFault> {
        let text = self.0.execute_to_string(&convert(document));
        text.map_err(|error| TemplateFault::of_data(error.to_string()))
    }
}

impl fmt::Debug for GoTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoTemplate").field(&self.0.name()).finish()
    }
}

fn convert(value: &Value) -> GoValue {
    match value {
        Value::Null => GoValue::Nil,
        Value::Bool(value) => GoValue::Bool(*value),
        Value::Number(number) => GoValue::Float(number.as_f64().unwrap_or_default()),
        Value::String(text) => GoValue::String(text.as_str().into()),
        Value::Array(items) => GoValue::List(items.iter().map(convert).collect()),
        Value::Object(object) => {
            GoValue::Map(Arc::new(object.iter().map(|(name, value)| (name.as_str().into(), convert(value))).collect()))
        }
    }
}

/// Whether a value has an element at this path of keys and positions.
fn exists(args: &[GoValue]) -> GoValue {
    let [first, path @ ..] = args else { return GoValue::Bool(false) };
    let found = path.iter().try_fold(first, |value, step| match (value, step) {
        (GoValue::Map(map), GoValue::String(key)) => map.get(key),
        (GoValue::List(items), GoValue::Int(position)) => items.get(usize::try_from(*position).ok()?),
        _ => None,
    });
    GoValue::Bool(found.is_some())
}

fn decode(args: &[GoValue]) -> gotmpl::Result<GoValue> {
    let [GoValue::String(text)] = args else {
        return Err(gotmpl::TemplateError::Exec("base64decode needs one text".to_owned()));
    };
    let bytes = BASE64_STANDARD.decode(text.as_bytes());
    let bytes = bytes.map_err(|error| gotmpl::TemplateError::Exec(format!("base64decode: {error}")))?;
    Ok(GoValue::String(String::from_utf8_lossy(&bytes).into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_print_what_kubectl_prints() {
        let document = json!({
            "kind": "List", "big": 1_234_567_890, "half": 0.5, "none": null, "b64": "aGk=",
            "items": [
                {"metadata": {"name": "one", "labels": {"b": "2", "a": "1"}}, "spec": {"completions": 3, "suspend": false}},
                {"metadata": {"name": "two"}, "spec": {"completions": 10, "suspend": true}},
            ],
        });
        for (template, expected) in [
            ("{{.kind}} {{.nothing}} {{.none}}", "List <no value> <no value>"),
            ("{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}", "one\ntwo\n"),
            ("{{range $i, $job := .items}}{{$i}}={{$job.spec.completions}};{{end}}", "0=3;1=10;"),
            ("{{range .items}}{{if .spec.suspend}}held{{else}}free{{end}} {{end}}", "free held "),
            ("{{(index .items 1).metadata.name}} {{index .items 0 \"metadata\" \"name\"}}", "two one"),
            ("{{len .items}} {{len .kind}} {{.big}} {{.half}}", "2 4 1234567890 0.5"),
            ("{{printf \"%s:%-4s|%v|%.1f\" .kind \"x\" .half .half}}", "List:x   |0.5|0.5"),
            ("{{range .items}}{{if eq .metadata.name \"two\"}}{{.spec.completions}}{{end}}{{end}}", "10"),
            ("{{range $k, $v := (index .items 0).metadata.labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 "),
            ("{{(index .items 0).metadata.labels}} {{.items | len}}", "map[a:1 b:2] 2"),
            ("{{with .nothing}}x{{else}}none{{end}}{{- /* gone */ -}}  !", "none!"),
            ("{{and true .kind}} {{or .none \"x\"}} {{not .none}}", "List x true"),
            ("{{.b64 | base64decode}} {{exists . \"items\" 0 \"spec\"}} {{exists . \"x\"}}", "hi true false"),
            ("{{define \"n\"}}<{{.}}>{{end}}{{range .items}}{{template \"n\" .metadata.name}}{{end}}", "<one><two>"),
            ("{{range .items}}{{.metadata.name}}{{break}}{{end}}", "one"),
        ] {
            let text = GoTemplate::parse(template).unwrap().text(&document).unwrap();
            assert_eq!(text, expected, "{template}");
        }
    }

    #[test]
    fn a_wrong_template_is_an_error() {
        let fault = GoTemplate::parse("{{.kind").unwrap_err();
        assert!(fault.hint().is_some(), "{fault}");
        let document = json!({"items": []});
        for wrong in ["{{index .items 7}}", "{{len 3}}", "{{base64decode 1}}", "{{nothing .}}"] {
            assert!(GoTemplate::parse(wrong).unwrap().text(&document).is_err(), "{wrong}");
        }
    }
}
