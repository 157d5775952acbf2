// celoracle answers how cel-go, in the environment of Flux, treats expressions: the oracle of the differential tests.
//
//	celoracle < requests > answers
//	celoracle conformance FOLDER          the public tables (tests/simple/testdata of the module cel.dev/expr) as JSON
//	celoracle conformance-run FOLDER      the cases of them that cel-go itself fails in its own environment of conformance tests, and how
//
// One JSON object a line: {"expr": "...", "compile": true, "vars": ["self"], "data": {...}}. `compile` checks types, as readyExpr does, and `vars`
// are its variables; without it the expression is only parsed, as healthCheckExprs are. Answer: {"error": "..."} or {"type": "...", "value": "..."}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
)

type request struct {
	Expr    string         `json:"expr"`
	Compile bool           `json:"compile"`
	Vars    []string       `json:"vars"`
	Data    map[string]any `json:"data"`
}

type answer struct {
	Error string `json:"error,omitempty"`
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
}

// The environment of github.com/fluxcd/pkg/runtime/cel NewExpression.
func environment(vars []string) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	}
	for _, v := range vars {
		options = append(options, cel.Variable(v, cel.ObjectType("google.protobuf.Struct")))
	}
	return cel.NewEnv(options...)
}

// Integers as int64, as Kubernetes decodes them.
func normalize(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = normalize(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = normalize(v[k])
		}
	}
	return v
}

func evaluate(r request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	env, err := environment(r.Vars)
	if err != nil {
		return answer{Error: err.Error()}
	}
	parse := env.Parse
	if r.Compile {
		parse = env.Compile
	}
	ast, issues := parse(r.Expr)
	if issues != nil {
		return answer{Error: issues.String()}
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(100))
	if err != nil {
		return answer{Error: "failed to create CEL program: " + err.Error()}
	}
	if r.Data == nil {
		r.Data = map[string]any{}
	}
	value, _, err := program.Eval(normalize(r.Data).(map[string]any))
	if err != nil {
		return answer{Type: ast.OutputType().String(), Error: err.Error()}
	}
	return answer{Type: ast.OutputType().String(), Value: types.Format(value)}
}

func main() {
	if len(os.Args) == 3 && (os.Args[1] == "conformance" || os.Args[1] == "conformance-run") {
		work := writeConformance
		if os.Args[1] == "conformance-run" {
			work = runConformance
		}
		if err := work(os.Args[2], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "celoracle:", err)
			os.Exit(1)
		}
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var r request
		decoder := json.NewDecoder(bytes.NewReader(in.Bytes()))
		decoder.UseNumber()
		if err := decoder.Decode(&r); err != nil {
			fmt.Fprintln(os.Stderr, "celoracle: bad request:", err)
			os.Exit(2)
		}
		text, _ := json.Marshal(evaluate(r))
		out.Write(text)
		out.WriteByte('\n')
	}
}
