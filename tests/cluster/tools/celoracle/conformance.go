package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"cel.dev/expr"
	"cel.dev/expr/conformance/test"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	_ "cel.dev/expr/conformance/proto2"
	_ "cel.dev/expr/conformance/proto3"
)

// One case of the public tables, its values as CEL expressions.
type conformanceCase struct {
	Name      string            `json:"name"` // file/section/test
	Expr      string            `json:"expr,omitempty"`
	NoCheck   bool              `json:"noCheck,omitempty"`
	NoMacros  bool              `json:"noMacros,omitempty"`
	CheckOnly bool              `json:"checkOnly,omitempty"`
	Container string            `json:"container,omitempty"`
	Vars      map[string]string `json:"vars,omitempty"`     // name to type
	Bindings  map[string]string `json:"bindings,omitempty"` // name to expression
	Value     string            `json:"value,omitempty"`
	Type      string            `json:"type,omitempty"`
	Error     bool              `json:"error,omitempty"`
	Skip      string            `json:"skip,omitempty"` // why Flux's environment cannot run it
}

// Libraries that Flux does not bind.
var unbound = map[string]string{
	"bindings_ext": "cel.bind is not bound by Flux", "block_ext": "cel.block is not bound by Flux", "math_ext": "the math library is not bound by Flux",
	"network_ext": "the network library is not bound by Flux", "proto2_ext": "the proto library is not bound by Flux",
	"macros2": "two-variable comprehensions are not bound by Flux",
}

const needsMessages = "needs protocol buffer messages, which Flux's environment does not have"

func celText(v *expr.Value) (string, error) {
	val, err := cel.ProtoAsValue(types.DefaultTypeAdapter, v)
	if err != nil {
		return "", err
	}
	if types.IsError(val) {
		return "", fmt.Errorf("%v", val)
	}
	return types.Format(val), nil
}

func typeText(t *expr.Type) (string, error) {
	ct, err := types.ProtoAsType(t)
	if err != nil {
		return "", err
	}
	return ct.String(), nil
}

func convert(name string, t *test.SimpleTest) (c conformanceCase) {
	c = conformanceCase{Name: name, Expr: t.GetExpr(), NoCheck: t.GetDisableCheck(), NoMacros: t.GetDisableMacros(), CheckOnly: t.GetCheckOnly(), Container: t.GetContainer()}
	skip := func(why string) conformanceCase { return conformanceCase{Name: name, Skip: why} }
	whole := prototext.Format(proto.Message(t))
	for _, message := range []string{"TestAllTypes", "NestedTestAllTypes", "cel.expr.conformance", "google.protobuf.Any", "google.api.expr", "GlobalEnum"} {
		if strings.Contains(whole, message) {
			return skip(needsMessages)
		}
	}
	for _, d := range t.GetTypeEnv() {
		if d.GetIdent() == nil {
			return skip("declares a function of its own")
		}
		text, err := typeText(d.GetIdent().GetType())
		if err != nil {
			return skip(err.Error())
		}
		if c.Vars == nil {
			c.Vars = map[string]string{}
		}
		c.Vars[d.GetName()] = text
	}
	for k, v := range t.GetBindings() {
		text, err := celText(v.GetValue())
		if err != nil {
			return skip(needsMessages)
		}
		if c.Bindings == nil {
			c.Bindings = map[string]string{}
		}
		c.Bindings[k] = text
	}
	var err error
	switch m := t.GetResultMatcher().(type) {
	case *test.SimpleTest_Value:
		c.Value, err = celText(m.Value)
	case *test.SimpleTest_TypedResult:
		if m.TypedResult.GetResult() != nil {
			c.Value, err = celText(m.TypedResult.GetResult())
		}
		if err == nil {
			c.Type, err = typeText(m.TypedResult.GetDeducedType())
		}
	case *test.SimpleTest_EvalError, *test.SimpleTest_AnyEvalErrors:
		c.Error = true
	case *test.SimpleTest_Unknown, *test.SimpleTest_AnyUnknowns:
		return skip("partial evaluation with unknowns, which Flux does not do")
	default:
		c.Value = "true"
	}
	if err != nil {
		return skip(needsMessages)
	}
	return c
}

// eachCase calls `visit` with the name (file/section/test) of every case of the *.textproto of `folder` (tests/simple/testdata of the module cel.dev/expr).
func eachCase(folder string, visit func(name string, t *test.SimpleTest) error) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.textproto"))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no *.textproto in %s", folder)
	}
	sort.Strings(paths)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var file test.SimpleTestFile
		if err := prototext.Unmarshal(content, &file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, section := range file.GetSection() {
			for _, t := range section.GetTest() {
				if err := visit(file.GetName()+"/"+section.GetName()+"/"+t.GetName(), t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// writeConformance converts every case of `folder` to one JSON object a line.
func writeConformance(folder string, out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return eachCase(folder, func(name string, t *test.SimpleTest) error {
		file, _, _ := strings.Cut(name, "/")
		c := conformanceCase{Name: name, Skip: unbound[file]}
		if c.Skip == "" {
			c = convert(name, t)
		}
		return encoder.Encode(c)
	})
}
