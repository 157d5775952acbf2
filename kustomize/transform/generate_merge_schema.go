// Writes merge_schema_data.inc: what strategic merge must know of the schema that kyaml carries.
// Run in an empty folder: go mod init x && go get sigs.k8s.io/kustomize/kyaml@v0.21.1 && go run generate_merge_schema.go > merge_schema_data.inc
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

type field struct {
	name string
	node int
}
type node struct {
	id         int
	fields     []field
	additional int
	items      int
	keys       []string
	merge      bool
}

var root = openapi.Schema()
var nodes = []*node{nil} // 0: unknown
var memo = map[string]int{}
var leaf int

func resolve(s *spec.Schema) (*spec.Schema, string) {
	name := ""
	for s.Ref.String() != "" {
		name = s.Ref.String()
		r, err := openapi.Resolve(&s.Ref, root)
		if err != nil {
			return nil, ""
		}
		s = r
	}
	return s, name
}

func strategy(s *spec.Schema) (bool, []string) {
	rs := &openapi.ResourceSchema{Schema: s}
	ps, keys := rs.PatchStrategyAndKeyList()
	for _, p := range strings.Split(ps, ",") {
		if p == "merge" {
			return true, keys
		}
	}
	return false, nil
}

// build returns the index of the node for schema s; 0 when it makes no difference to a merge.
func build(s *spec.Schema) int {
	s, name := resolve(s)
	if s == nil {
		return 0
	}
	if name != "" {
		if i, ok := memo[name]; ok {
			return i
		}
	}
	if len(s.Type) == 1 && s.Type[0] == "array" {
		ok, keys := strategy(s)
		if !ok {
			return 0
		}
		n := &node{id: len(nodes), keys: keys, merge: true}
		nodes = append(nodes, n)
		n.items = build(s.Items.Schema)
		return n.id
	}
	if len(s.Properties) == 0 && s.AdditionalProperties == nil {
		if len(s.Type) == 1 && s.Type[0] == "object" || len(s.Type) == 0 {
			return leaf
		}
		return 0
	}
	n := &node{id: len(nodes)}
	nodes = append(nodes, n)
	if name != "" {
		memo[name] = n.id
	}
	var names []string
	for k := range s.Properties {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		p := s.Properties[k]
		if i := build(&p); i != 0 {
			n.fields = append(n.fields, field{k, i})
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		n.additional = build(s.AdditionalProperties.Schema)
		if n.additional == 0 && len(n.fields) == 0 { n.additional = -1 }
	}
	return n.id
}

func main() {
	l := &node{id: 1}
	nodes = append(nodes, l)
	leaf = 1
	defs := root.Definitions
	type gvk struct{ api, kind string }
	roots := map[gvk]int{}
	var defNames []string
	for k := range defs {
		defNames = append(defNames, k)
	}
	sort.Strings(defNames)
	for _, d := range defNames {
		s := defs[d]
		ext, ok := s.Extensions["x-kubernetes-group-version-kind"]
		if !ok {
			continue
		}
		for _, e := range ext.([]interface{}) {
			m := e.(map[string]interface{})
			api := m["version"].(string)
			if g, ok := m["group"].(string); ok && g != "" {
				api = g + "/" + api
			}
			key := gvk{api, m["kind"].(string)}
			ref := spec.RefSchema("#/definitions/" + d)
			if old, ok := roots[key]; ok && old != build(ref) {
				fmt.Fprintln(os.Stderr, "ambiguous", key)
			}
			roots[key] = build(ref)
		}
	}
	// a map of scalars is a leaf
	fmt.Fprintln(os.Stderr, "nodes", len(nodes), "roots", len(roots))
	// merge identical nodes until nothing changes
	same := make([]int, len(nodes))
	for i := range same {
		same[i] = i
	}
	canon := func(i int) int {
		if i <= 0 {
			return i
		}
		for same[i] != i {
			i = same[i]
		}
		return i
	}
	for changed := true; changed; {
		changed = false
		seen := map[string]int{}
		for i := 1; i < len(nodes); i++ {
			if same[i] != i {
				continue
			}
			n := nodes[i]
			add := n.additional
			if add > 0 { add = canon(add) } else { add = 0 }
			k := fmt.Sprint(n.merge, n.keys, canon(n.items), add)
			for _, f := range n.fields {
				k += fmt.Sprint(" ", f.name, canon(f.node))
			}
			if j, ok := seen[k]; ok {
				same[i] = j
				changed = true
			} else {
				seen[k] = i
			}
		}
	}
	num := map[int]int{0: 0}
	var order []int
	for i := 1; i < len(nodes); i++ {
		if same[i] == i {
			num[i] = len(order) + 1
			order = append(order, i)
		}
	}
	fmt.Fprintln(os.Stderr, "distinct", len(order))
	keysets := map[string]int{}
	var keylist []string
	out := os.Stdout
	var fields []string
	var rows []string
	for _, i := range order {
		n := nodes[i]
		first := len(fields)
		for _, f := range n.fields {
			fields = append(fields, fmt.Sprintf("{\"%s\", %d}", f.name, num[canon(f.node)]))
		}
		ks := 0
		if n.merge {
			k := strings.Join(n.keys, ",")
			if _, ok := keysets[k]; !ok {
				keylist = append(keylist, k)
				keysets[k] = len(keylist)
			}
			ks = keysets[k]
		}
		add := 0
		if n.additional > 0 {
			add = num[canon(n.additional)]
		}
		rows = append(rows, fmt.Sprintf("{%d, %d, %d, %d, %d}", first, len(n.fields), add, num[canon(n.items)], ks))
	}
	emit := func(name, typ string, rows []string) {
		fmt.Fprintf(out, "constexpr %s %s[] = {\n", typ, name)
		line := "   "
		for _, r := range rows {
			if len(line)+len(r)+2 > 124 {
				fmt.Fprintln(out, line)
				line = "   "
			}
			line += " " + r + ","
		}
		fmt.Fprintln(out, line)
		fmt.Fprintln(out, "};")
	}
	fmt.Fprintln(out, "// Generated by kustomize/transform/generate_merge_schema.go from the schema inside kyaml v0.21.1 (Kubernetes 1.21.2): do not edit.")
	fmt.Fprintln(out, "// Node 0 is \"no schema\". Fields of a node are sorted by name.")
	var ks []string
	for _, k := range keylist {
		ks = append(ks, fmt.Sprintf("%q", k))
	}
	emit("kKeyLists", "std::string_view", ks)
	emit("kFields", "SchemaField", fields)
	emit("kNodes", "SchemaNode", append([]string{"{0, 0, 0, 0, 0}"}, rows...))
	var rk []gvk
	for k := range roots {
		if roots[k] != 0 {
			rk = append(rk, k)
		}
	}
	sort.Slice(rk, func(a, b int) bool {
		if rk[a].kind != rk[b].kind {
			return rk[a].kind < rk[b].kind
		}
		return rk[a].api < rk[b].api
	})
	var rr []string
	for _, k := range rk {
		rr = append(rr, fmt.Sprintf("{\"%s\", \"%s\", %d}", k.kind, k.api, num[canon(roots[k])]))
	}
	emit("kRoots", "SchemaRoot", rr)
	fmt.Fprintln(os.Stderr, "fields", len(fields), "keys", keylist, "roots", len(rr))
}
