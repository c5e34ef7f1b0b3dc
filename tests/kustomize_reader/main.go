// Reads texts, a JSON string a line, and prints what kustomize's two readers make of each, an object a line: the one of
// resources (kyaml) and the one of kustomization.yaml (sigs.k8s.io/yaml, which kubectl and the API server have too).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	sigs "sigs.k8s.io/yaml"
)

// reading is what one reader makes of a text: its documents, or why there are none.
type reading struct {
	Documents []json.RawMessage `json:"documents"`
	// Written are the documents as they are once kustomize has written them and read them again, which it does.
	Written []json.RawMessage `json:"written,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// resources reads a file of resources as kustomize's resource factory does.
func resources(text string) (result reading) {
	defer refused(&result)
	// As kio.FromBytes does it, which overflows the stack where an alias stands inside what it repeats.
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

// repeatsItself tells whether an alias stands inside what it repeats.
func repeatsItself(node *yaml.Node, above []*yaml.Node) bool {
	if node.Kind == yaml.AliasNode {
		return slices.Contains(above, node.Alias) || repeatsItself(node.Alias, above)
	}
	above = append(above[:len(above):len(above)], node)
	return slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return repeatsItself(child, above) })
}

// decode is a document as it was read, before it is written.
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

// kustomization reads a kustomization.yaml: one document, of which no key may stand twice.
func kustomization(text string) (result reading) {
	defer refused(&result)
	document, err := sigs.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return reading{Error: err.Error()}
	}
	return reading{Documents: []json.RawMessage{document}}
}

// refused turns a reader's panic into its refusal.
func refused(result *reading) {
	if cause := recover(); cause != nil {
		*result = reading{Error: fmt.Sprint("panic: ", cause)}
	}
}

func main() {
	texts := json.NewDecoder(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		var text string
		err := texts.Decode(&text)
		if err == io.EOF {
			return
		}
		if err == nil {
			err = answers.Encode(map[string]reading{
				"resources":     resources(text),
				"kustomization": kustomization(text),
			})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
