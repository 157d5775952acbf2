package main

import (
	"fmt"
	"io"

	"cel.dev/expr"
	"cel.dev/expr/conformance/proto2"
	"cel.dev/expr/conformance/proto3"
	"cel.dev/expr/conformance/test"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"google.golang.org/protobuf/proto"
)

// The environment in which cel-go runs the public tables.
func conformanceEnvironment(t *test.SimpleTest) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.StdLib(), cel.OptionalTypes(), cel.EagerlyValidateDeclarations(true), cel.EnableErrorOnBadPresenceTest(true), cel.EnableIdentifierEscapeSyntax(),
		cel.Types(&proto2.TestAllTypes{}, &proto2.Proto2ExtensionScopedMessage{}, &proto3.TestAllTypes{}),
		ext.Bindings(), ext.Encoders(), ext.Lists(), ext.Math(), ext.Protos(), ext.Strings(), ext.TwoVarComprehensions(),
	}
	if t.GetDisableMacros() {
		options = append(options, cel.ClearMacros())
	}
	if t.GetContainer() != "" {
		options = append(options, cel.Container(t.GetContainer()))
	}
	for _, d := range t.GetTypeEnv() {
		declaration, err := cel.ProtoAsDeclaration(d)
		if err != nil {
			return nil, err
		}
		options = append(options, declaration)
	}
	return cel.NewCustomEnv(options...)
}

func wantValue(t *test.SimpleTest) (value *expr.Value, typ *expr.Type) {
	switch m := t.GetResultMatcher().(type) {
	case *test.SimpleTest_Value:
		return m.Value, nil
	case *test.SimpleTest_TypedResult:
		return m.TypedResult.GetResult(), m.TypedResult.GetDeducedType()
	}
	return &expr.Value{Kind: &expr.Value_BoolValue{BoolValue: true}}, nil
}

// What cel-go itself does not do as the table wants it; nil when it passes.
func runCase(t *test.SimpleTest) (problem error) {
	defer func() {
		if p := recover(); p != nil {
			problem = fmt.Errorf("panic: %v", p)
		}
	}()
	env, err := conformanceEnvironment(t)
	if err != nil {
		return err
	}
	compile := env.Compile
	if t.GetDisableCheck() {
		compile = env.Parse
	}
	_, anyError := t.GetResultMatcher().(*test.SimpleTest_AnyEvalErrors)
	_, oneError := t.GetResultMatcher().(*test.SimpleTest_EvalError)
	ast, issues := compile(t.GetExpr())
	if issues.Err() != nil {
		return fmt.Errorf("compile: %w", issues.Err())
	}
	value, typ := wantValue(t)
	if typ != nil {
		deduced, err := types.TypeToProto(ast.OutputType())
		if err != nil {
			return err
		}
		if !proto.Equal(deduced, typ) {
			return fmt.Errorf("type %s instead of %s", ast.OutputType(), typ)
		}
	}
	if t.GetCheckOnly() {
		return nil
	}
	program, err := env.Program(ast)
	if err != nil {
		return err
	}
	bindings := map[string]any{}
	for k, v := range t.GetBindings() {
		if bindings[k], err = cel.ProtoAsValue(env.CELTypeAdapter(), v.GetValue()); err != nil {
			return err
		}
	}
	got, _, err := program.Eval(bindings)
	if anyError || oneError {
		if err == nil {
			return fmt.Errorf("no error but %s", types.Format(got))
		}
		return nil
	}
	if err != nil {
		return err
	}
	wanted, err := cel.ProtoAsValue(env.CELTypeAdapter(), value)
	if err != nil {
		return err
	}
	if same, err := sameValue(got, wanted); err != nil || !same {
		return fmt.Errorf("%s instead of %s", types.Format(got), types.Format(wanted))
	}
	return nil
}

func sameValue(a, b ref.Val) (bool, error) {
	left, err := cel.ValueAsProto(a)
	if err != nil {
		return false, err
	}
	right, err := cel.ValueAsProto(b)
	if err != nil {
		return false, err
	}
	return proto.Equal(left, right) || a.Equal(b) == types.True, nil
}

// runConformance prints the cases that cel-go fails in its own environment of conformance tests: name, tab, why.
func runConformance(folder string, out io.Writer) error {
	return eachCase(folder, func(name string, t *test.SimpleTest) error {
		if problem := runCase(t); problem != nil {
			fmt.Fprintf(out, "%s\t%q\n", name, problem.Error())
		}
		return nil
	})
}
