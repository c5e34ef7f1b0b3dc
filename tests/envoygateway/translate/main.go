// The translation of Envoy Gateway without its servers, for the tests in tests/reality that ask about many
// configurations: reads one configuration a line, and answers with what Envoy would get. It is built inside a copy of
// Envoy Gateway's module, because only that may use its internal packages. Nothing here is the project's own behaviour.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwapiv1 "sigs.k8s.io/gateway-api/apis/v1"

	egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"
	"github.com/envoyproxy/gateway/api/v1alpha1/validation"
	"github.com/envoyproxy/gateway/internal/gatewayapi"
	"github.com/envoyproxy/gateway/internal/gatewayapi/resource"
	"github.com/envoyproxy/gateway/internal/logging"
	"github.com/envoyproxy/gateway/internal/xds/translator"
)

// The objects, each as the text of a manifest, and the settings of the chart.
type question struct {
	Objects       []json.RawMessage            `json:"objects"`
	ExtensionAPIs *egv1a1.ExtensionAPISettings `json:"extensionApis"`
	// The service that counts global rate limits, if the chart has one.
	RateLimit *egv1a1.RateLimit `json:"rateLimit"`
}

type answer struct {
	// Why the controller can't read the objects.
	Unreadable string `json:"unreadable,omitempty"`
	// What it finds wrong while it translates.
	Errors []string `json:"errors,omitempty"`
	// The objects, with their status.
	Objects any `json:"objects,omitempty"`
	// What Envoy would get: by proxy and type.
	Proxies map[string]map[string][]json.RawMessage `json:"proxies,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var asked question
		if err == nil {
			err = json.Unmarshal(line, &asked)
		}
		if err == nil {
			err = out.Encode(translate(&asked))
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// Reads objects. Of several EnvoyProxies, Envoy Gateway's own reader of files keeps only the last one, and it reads neither
// labels of most kinds nor EndpointSlices, which it gets only from a cluster.
func load(objects []json.RawMessage) (*resource.Resources, error) {
	var text []byte
	var proxies []*egv1a1.EnvoyProxy
	var slices []*discoveryv1.EndpointSlice
	metadata := map[string]metav1.ObjectMeta{}
	for _, object := range objects {
		var kind struct {
			Kind     string            `json:"kind"`
			Metadata metav1.ObjectMeta `json:"metadata"`
		}
		if err := json.Unmarshal(object, &kind); err != nil {
			return nil, err
		}
		metadata[key(kind.Kind, &kind.Metadata)] = kind.Metadata
		switch kind.Kind {
		case resource.KindEnvoyProxy:
		case "EndpointSlice":
			slice := &discoveryv1.EndpointSlice{}
			if err := json.Unmarshal(object, slice); err != nil {
				return nil, err
			}
			slices = append(slices, slice)
			continue
		default:
			text = append(append(text, object...), "\n---\n"...)
			continue
		}
		alone, err := resource.LoadResourcesFromYAMLBytes(object, false, nil)
		if err != nil {
			return nil, err
		}
		proxies = append(proxies, alone.EnvoyProxyForGatewayClass)
	}
	resources, err := resource.LoadResourcesFromYAMLBytes(text, false, nil)
	if err != nil {
		return nil, err
	}
	if resources.GatewayClass == nil {
		return nil, errors.New("there is no GatewayClass")
	}
	resources.EndpointSlices = slices
	restore(resource.KindNamespace, resources.Namespaces, metadata)
	restore(resource.KindGateway, resources.Gateways, metadata)
	restore(resource.KindHTTPRoute, resources.HTTPRoutes, metadata)
	restore(resource.KindGRPCRoute, resources.GRPCRoutes, metadata)
	restore(resource.KindTLSRoute, resources.TLSRoutes, metadata)
	restore(resource.KindTCPRoute, resources.TCPRoutes, metadata)
	restore(resource.KindUDPRoute, resources.UDPRoutes, metadata)
	parameters := resources.GatewayClass.Spec.ParametersRef
	for _, proxy := range proxies {
		if parameters != nil && parameters.Name == proxy.Name && parameters.Namespace != nil &&
			string(*parameters.Namespace) == proxy.Namespace {
			resources.EnvoyProxyForGatewayClass = proxy
		} else {
			resources.EnvoyProxiesForGateways = append(resources.EnvoyProxiesForGateways, proxy)
		}
	}
	return resources, nil
}

// What identifies an object. Namespaces are in no namespace.
func key(kind string, object metav1.Object) string {
	return kind + " " + object.GetNamespace() + "/" + object.GetName()
}

// Gives objects their labels and annotations.
func restore[T metav1.Object](kind string, objects []T, metadata map[string]metav1.ObjectMeta) {
	for _, object := range objects {
		if own, ok := metadata[key(kind, object)]; ok {
			object.SetLabels(own.Labels)
			object.SetAnnotations(own.Annotations)
		}
	}
}

func translate(asked *question) (told answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			told = answer{Unreadable: fmt.Sprint("the controller panics: ", panicked)}
		}
	}()
	resources, err := load(asked.Objects)
	if err != nil {
		return answer{Unreadable: err.Error()}
	}
	logger := logging.DefaultLogger(io.Discard, egv1a1.LogLevelInfo)
	features := asked.ExtensionAPIs
	toIntermediate := &gatewayapi.Translator{
		GatewayControllerName:           string(resources.GatewayClass.Spec.ControllerName),
		GatewayClassName:                gwapiv1.ObjectName(resources.GatewayClass.Name),
		EnvoyPatchPolicyEnabled:         features != nil && features.EnableEnvoyPatchPolicy,
		GlobalRateLimitEnabled:          asked.RateLimit != nil,
		BackendEnabled:                  features != nil && features.EnableBackend,
		ControllerNamespace:             "envoy-gateway-system",
		MergeGateways:                   gatewayapi.IsMergeGatewaysEnabled(resources),
		MergeBackends:                   gatewayapi.ResolveMergeBackendsConfig(resources),
		RunningOnHost:                   true,
		Logger:                          logger,
		LuaEnvoyExtensionPolicyDisabled: features.LuaDisabled(),
	}
	told.Proxies = map[string]map[string][]json.RawMessage{}
	if resources.EnvoyProxyForGatewayClass != nil {
		if err := validation.ValidateEnvoyProxy(resources.EnvoyProxyForGatewayClass); err != nil {
			told.Errors = append(told.Errors, err.Error())
		}
	}
	translated, err := toIntermediate.Translate(resources)
	if err != nil {
		told.Errors = append(told.Errors, err.Error())
	}
	told.Objects = translated.Resources
	for name, intermediate := range translated.XdsIR {
		toEnvoy := &translator.Translator{
			ControllerNamespace: "envoy-gateway-system",
			FilterOrder:         intermediate.FilterOrder,
			Logger:              logger,
		}
		if asked.RateLimit != nil {
			// The settings of an installed chart; nothing answers there.
			toEnvoy.GlobalRateLimit = &translator.GlobalRateLimitSettings{
				ServiceURL: "grpc://envoy-ratelimit.envoy-gateway-system.svc.cluster.local:8081",
				FailClosed: asked.RateLimit.FailClosed,
			}
		}
		table, err := toEnvoy.Translate(intermediate)
		if err != nil {
			told.Errors = append(told.Errors, err.Error())
		}
		if table == nil {
			continue
		}
		proxy := map[string][]json.RawMessage{}
		for key, kind := range map[string]resourcev3.Type{
			"listeners": resourcev3.ListenerType, "routes": resourcev3.RouteType, "clusters": resourcev3.ClusterType,
			"endpoints": resourcev3.EndpointType, "secrets": resourcev3.SecretType,
		} {
			for _, one := range table.XdsResources[kind] {
				typed, err := anypb.New(one)
				if err != nil {
					told.Errors = append(told.Errors, err.Error())
					continue
				}
				text, err := protojson.Marshal(typed)
				if err != nil {
					told.Errors = append(told.Errors, err.Error())
					continue
				}
				proxy[key] = append(proxy[key], text)
			}
		}
		told.Proxies[name] = proxy
	}
	return told
}
