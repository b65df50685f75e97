package main

import (
	"errors"
	"testing"
)

func TestParseUp(t *testing.T) {
	for _, test := range []struct {
		arguments []string
		want      request
	}{
		{nil, request{newest, same, same}},
		{[]string{"--kubernetes", "1.30"}, request{oldest, same, same}},
		{[]string{"--kubernetes=1.36.3", "--fake-nodes", "5"}, request{newest, 5, same}},
		{[]string{"--fake-nodes=0"}, request{newest, 0, same}},
		{[]string{"--kueue"}, request{newest, same, 1}},
		{[]string{"--kueue=false"}, request{newest, same, 0}},
	} {
		got, err := parseUp(test.arguments)
		if err != nil || got != test.want {
			t.Errorf("parseUp(%q) = %v, %v; want %v", test.arguments, got, err, test.want)
		}
	}
}

func TestParseUpRefusesUnknownArguments(t *testing.T) {
	for _, arguments := range [][]string{
		{"--bogus"},
		{"more"},
		{"--kubernetes", "1.29"},
		{"--kubernetes"},
		{"--fake-nodes", "-1"},
		{"--fake-nodes", "1001"},
		{"--fake-nodes", "many"},
	} {
		if _, err := parseUp(arguments); !errors.Is(err, errUsage) {
			t.Errorf("parseUp(%q): %v, which isn't wrong usage", arguments, err)
		}
	}
}
