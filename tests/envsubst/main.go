// Reads a JSON list of texts, and prints how Flux's envsubst parses each of them: the text with each outermost variable
// replaced by U+0001, and the names of all variables in order; nothing if it can't be parsed.
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/fluxcd/pkg/envsubst/parse"
)

type reading struct {
	Replaced string   `json:"replaced"`
	Names    []string `json:"names"`
}

func names(node parse.Node, found *[]string) {
	switch node := node.(type) {
	case *parse.FuncNode:
		*found = append(*found, node.Param)
		for _, below := range node.Args {
			names(below, found)
		}
	case *parse.ListNode:
		for _, below := range node.Nodes {
			names(below, found)
		}
	}
}

func replaced(node parse.Node, text *strings.Builder) {
	switch node := node.(type) {
	case *parse.TextNode:
		text.WriteString(node.Value)
	case *parse.FuncNode:
		text.WriteString("\u0001")
	case *parse.ListNode:
		for _, below := range node.Nodes {
			replaced(below, text)
		}
	}
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	readings := make([]*reading, len(texts))
	for at, text := range texts {
		tree, err := parse.Parse(text)
		if err != nil {
			continue
		}
		var plain strings.Builder
		replaced(tree.Root, &plain)
		readings[at] = &reading{Replaced: plain.String(), Names: []string{}}
		names(tree.Root, &readings[at].Names)
	}
	if err := json.NewEncoder(os.Stdout).Encode(readings); err != nil {
		panic(err)
	}
}
