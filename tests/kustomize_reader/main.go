// Reads texts, a JSON string a line, and prints what kustomize's two readers make of each, an object a line: the one of
// resources (kyaml) and the one of kustomization.yaml (sigs.k8s.io/yaml, which kubectl and the API server have too).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/kustomize/kyaml/kio"
	sigs "sigs.k8s.io/yaml"
)

// reading is what one reader makes of a text: its documents, or why there are none.
type reading struct {
	Documents []json.RawMessage `json:"documents"`
	Error     string            `json:"error,omitempty"`
}

// resources reads a file of resources as kustomize's resource factory does.
func resources(text string) (result reading) {
	defer refused(&result)
	result.Documents = []json.RawMessage{}
	nodes, err := kio.FromBytes([]byte(text))
	if err != nil {
		return reading{Error: err.Error()}
	}
	for _, node := range nodes {
		document, err := node.MarshalJSON()
		if err != nil {
			return reading{Error: err.Error()}
		}
		result.Documents = append(result.Documents, document)
	}
	return result
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
