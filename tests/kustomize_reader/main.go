// Reads texts, one a line: a JSON string, or an object with the text in `le` or `be`, which stands for the text in UTF-16 in
// this order of bytes, with a byte order mark. Prints the results of kustomize's two YAML parsers, one object a line: that of
// resources (kyaml) and that of kustomization.yaml (sigs.k8s.io/yaml, which kubectl and the API server also use).
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf16"

	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	sigs "sigs.k8s.io/yaml"
)

// reading is the result of one parser for a text: its documents, or the error.
type reading struct {
	Documents []json.RawMessage `json:"documents"`
	// Written are the documents after kustomize has written them and parsed them again, as it does when it builds.
	Written []json.RawMessage `json:"written,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// resources parses a file of resources as kustomize's resource factory does.
func resources(text string) (result reading) {
	defer refused(&result)
	// This does what kio.FromBytes does, which overflows the stack if an alias is inside its own anchor.
	nodes, err := (&kio.ByteReader{Reader: strings.NewReader(text), OmitReaderAnnotations: true}).Read()
	if err != nil {
		return reading{Error: err.Error()}
	}
	for _, node := range nodes {
		if repeatsItself(node.YNode(), nil) {
			return reading{Error: "an alias inside what it repeats"}
		}
		if err := node.DeAnchor(); err != nil {
			return reading{Error: err.Error()}
		}
		written, err := node.MarshalJSON()
		if err != nil {
			return reading{Error: err.Error()}
		}
		result.Written = append(result.Written, written)
		document, err := decode(node.YNode())
		if err != nil {
			return reading{Error: err.Error()}
		}
		result.Documents = append(result.Documents, document)
	}
	return result
}

// repeatsItself reports whether an alias is inside its own anchor.
func repeatsItself(node *yaml.Node, above []*yaml.Node) bool {
	if node.Kind == yaml.AliasNode {
		return slices.Contains(above, node.Alias) || repeatsItself(node.Alias, above)
	}
	above = append(above[:len(above):len(above)], node)
	return slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return repeatsItself(child, above) })
}

// decode returns a document as it was parsed, before it is written.
func decode(node *yaml.Node) (json.RawMessage, error) {
	if node.Kind == yaml.MappingNode {
		object := map[string]any{}
		if err := node.Decode(&object); err != nil {
			return nil, err
		}
		return json.Marshal(object)
	}
	var document any
	if err := node.Decode(&document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

// kustomization parses a kustomization.yaml: one document without duplicate keys.
func kustomization(text string) (result reading) {
	defer refused(&result)
	document, err := sigs.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return reading{Error: err.Error()}
	}
	return reading{Documents: []json.RawMessage{document}}
}

// refused turns a panic of a parser into an error.
func refused(result *reading) {
	if cause := recover(); cause != nil {
		*result = reading{Error: fmt.Sprint("panic: ", cause)}
	}
}

// text is what a line stands for.
func text(line json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(line, &text) == nil {
		return text, nil
	}
	orders := map[string]binary.AppendByteOrder{"le": binary.LittleEndian, "be": binary.BigEndian}
	var texts map[string]string
	if err := json.Unmarshal(line, &texts); err != nil {
		return "", err
	}
	var encoded []byte
	for name, text := range texts {
		for _, unit := range utf16.Encode([]rune("\uFEFF" + text)) {
			encoded = orders[name].AppendUint16(encoded, unit)
		}
	}
	return string(encoded), nil
}

func main() {
	texts := json.NewDecoder(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		var line json.RawMessage
		err := texts.Decode(&line)
		if err == io.EOF {
			return
		}
		var read string
		if err == nil {
			read, err = text(line)
		}
		if err == nil {
			err = answers.Encode(map[string]reading{
				"resources":     resources(read),
				"kustomization": kustomization(read),
			})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
