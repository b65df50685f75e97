package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func TestFitWebhooksKeepsThoseOfJobsAndOfKueue(t *testing.T) {
	webhook := func(path string) object {
		return object{"name": path, "clientConfig": object{"service": object{"name": "s", "path": path}}}
	}
	var manifests []byte
	for _, configuration := range []object{
		{"metadata": object{"name": "mutating"}, "webhooks": []object{
			webhook("/mutate-batch-v1-job"), webhook("/mutate-batch-x-k8s-io-v1-job"), webhook("/mutate--v1-pod"),
		}},
		{"metadata": object{"name": "validating"}, "webhooks": []object{
			webhook("/validate-kueue-x-k8s-io-v1beta2-workload"), webhook("/validate-apps-v1-deployment"),
		}},
	} {
		document, err := json.Marshal(configuration)
		if err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, document...)
	}
	fitted, err := fitWebhooks(manifests, "https://127.0.0.1:1", "CA")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Metadata struct{ Name string }
		Webhooks []struct {
			ClientConfig      map[string]string
			NamespaceSelector object
		}
	}
	if err := json.Unmarshal(fitted[:bytes.IndexByte(fitted, '\n')], &got); err != nil {
		t.Fatal(err)
	}
	if got.Metadata.Name != "kueue-mutating" || len(got.Webhooks) != 1 {
		t.Fatalf("got %+v", got)
	}
	want := map[string]string{"url": "https://127.0.0.1:1/mutate-batch-v1-job", "caBundle": "CA"}
	if !reflect.DeepEqual(got.Webhooks[0].ClientConfig, want) || got.Webhooks[0].NamespaceSelector == nil {
		t.Errorf("got %+v; want %v", got.Webhooks[0], want)
	}
}
