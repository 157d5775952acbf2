// flux-oracle answers with kustomize-controller's own code what Weber's tests and benchmarks compare with.
//
//	flux-oracle answer                one JSON request a line on stdin, one JSON answer a line on stdout
//	flux-oracle bench-substitute FILE VALUES ROUNDS   seconds a round for all objects of FILE (YAML), variables of VALUES (a JSON map)
//	flux-oracle bench-decrypt DIR KEY ROUNDS          seconds a round for the files below DIR that its kustomization.yaml names
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/kustomize-controller/internal/decryptor"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/envsubst"
	"github.com/fluxcd/pkg/kustomize"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"
)

// request asks for exactly one thing: Text or Object to be substituted, Object to be decrypted (Decrypt), or Root's files to be (Root).
type request struct {
	Text    *string           `json:"text"`
	Object  string            `json:"object"`
	Vars    map[string]string `json:"vars"`
	Strict  bool              `json:"strict"`
	Always  bool              `json:"always"`
	Decrypt bool              `json:"decrypt"`
	Root    string            `json:"root"`
	Path    string            `json:"path"`
	Keys    map[string]string `json:"keys"`
}

type answer struct {
	Out     string `json:"out"`
	Error   string `json:"error"`
	Skipped bool   `json:"skipped"` // the object was left alone
}

// secrets is a client that has one Secret.
type secrets struct {
	client.Client
	keys map[string]string
}

func (s secrets) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	secret, ok := obj.(*corev1.Secret)
	if !ok || s.keys == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	secret.Data = map[string][]byte{}
	for name, value := range s.keys {
		secret.Data[name] = []byte(value)
	}
	return nil
}

func kustomization(vars map[string]string) unstructured.Unstructured {
	substitute := map[string]any{}
	for name, value := range vars {
		substitute[name] = value
	}
	return unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
		"metadata": map[string]any{"name": "apps", "namespace": "flux-system"},
		"spec":     map[string]any{"postBuild": map[string]any{"substitute": substitute}},
	}}
}

func resources(yaml []byte) ([]*resource.Resource, error) {
	return provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes(yaml)
}

func newDecryptor(root string, keys map[string]string) (*decryptor.Decryptor, func(), error) {
	ks := &kustomizev1.Kustomization{ObjectMeta: metav1.ObjectMeta{Name: "apps", Namespace: "flux-system"}}
	ks.Spec.Decryption = &kustomizev1.Decryption{Provider: "sops", SecretRef: &meta.LocalObjectReference{Name: "keys"}}
	d, cleanup, err := decryptor.New(secrets{keys: keys}, ks, decryptor.WithRoot(root))
	if err != nil {
		return nil, nil, err
	}
	if err := d.ImportKeys(context.Background()); err != nil {
		cleanup()
		return nil, nil, err
	}
	return d, cleanup, nil
}

func substituteObject(r request) (answer, error) {
	found, err := resources([]byte(r.Object))
	if err != nil {
		return answer{}, fmt.Errorf("not an object: %w", err)
	}
	res, err := kustomize.SubstituteVariables(context.Background(), nil, kustomization(r.Vars), found[0],
		kustomize.SubstituteWithStrict(r.Strict), kustomize.SubstituteWithAlways(r.Always))
	if err != nil {
		return answer{}, err
	}
	if res == nil {
		return answer{Skipped: true}, nil
	}
	out, err := res.MarshalJSON()
	return answer{Out: string(out)}, err
}

func decryptObject(r request) (answer, error) {
	found, err := resources([]byte(r.Object))
	if err != nil {
		return answer{}, fmt.Errorf("not an object: %w", err)
	}
	d, cleanup, err := newDecryptor("", r.Keys)
	if err != nil {
		return answer{}, err
	}
	defer cleanup()
	res, err := d.DecryptResource(found[0])
	if err != nil {
		return answer{}, err
	}
	if res == nil {
		return answer{Skipped: true}, nil
	}
	out, err := res.MarshalJSON()
	return answer{Out: string(out)}, err
}

func decryptSources(r request) (answer, error) {
	d, cleanup, err := newDecryptor(r.Root, r.Keys)
	if err != nil {
		return answer{}, err
	}
	defer cleanup()
	return answer{}, d.DecryptSources(r.Path)
}

func reply(r request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	var err error
	switch {
	case r.Text != nil:
		a.Out, err = envsubst.Eval(*r.Text, func(name string) (string, bool) {
			value, ok := r.Vars[name]
			return value, ok || !r.Strict
		})
	case r.Root != "":
		a, err = decryptSources(r)
	case r.Decrypt:
		a, err = decryptObject(r)
	default:
		a, err = substituteObject(r)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return a
}

func answerAll() error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return err
		}
		line, err := json.Marshal(reply(r))
		if err != nil {
			return err
		}
		out.Write(append(line, '\n'))
	}
	return in.Err()
}

func benchSubstitute(file, values string, rounds int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(values)
	if err != nil {
		return err
	}
	vars := map[string]string{}
	if err := json.Unmarshal(data, &vars); err != nil {
		return err
	}
	ks := kustomization(vars)
	for range rounds {
		objects, err := resources(text)
		if err != nil {
			return err
		}
		start := time.Now()
		for _, o := range objects {
			if _, err := kustomize.SubstituteVariables(context.Background(), nil, ks, o); err != nil {
				return err
			}
		}
		fmt.Printf("%.6f\n", time.Since(start).Seconds())
	}
	return nil
}

func benchDecrypt(dir, key string, rounds int) error {
	identity, err := os.ReadFile(key)
	if err != nil {
		return err
	}
	for range rounds {
		root, err := os.MkdirTemp("", "flux-oracle-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(root)
		// The controller decrypts a fresh copy in place; making the copy is not measured.
		if out, err := exec.Command("cp", "-r", dir, filepath.Join(root, "files")).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w", out, err)
		}
		start := time.Now()
		d, cleanup, err := newDecryptor(root, map[string]string{"a.agekey": string(identity)})
		if err != nil {
			return err
		}
		if err := d.DecryptSources("files"); err != nil {
			return err
		}
		cleanup()
		fmt.Printf("%.6f\n", time.Since(start).Seconds())
	}
	return nil
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "answer":
		return answerAll()
	case len(args) == 4:
		rounds, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		if args[0] == "bench-substitute" {
			return benchSubstitute(args[1], args[2], rounds)
		}
		if args[0] == "bench-decrypt" {
			return benchDecrypt(args[1], args[2], rounds)
		}
	}
	return fmt.Errorf("usage: flux-oracle answer | bench-substitute FILE VALUES ROUNDS | bench-decrypt DIR KEY ROUNDS")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "flux-oracle:", err)
		os.Exit(1)
	}
}
