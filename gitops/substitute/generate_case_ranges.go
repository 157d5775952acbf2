// Writes case_ranges.inc: Go's unicode.CaseRanges.  go run gitops/substitute/generate_case_ranges.go > gitops/substitute/case_ranges.inc
package main

import (
	"fmt"
	"unicode"
)

func main() {
	fmt.Println("// Made by generate_case_ranges.go from Unicode", unicode.Version, "(first, last, delta to upper case, delta to lower case).")
	for _, r := range unicode.CaseRanges {
		fmt.Printf("{0x%04X, 0x%04X, %d, %d},\n", r.Lo, r.Hi, r.Delta[unicode.UpperCase], r.Delta[unicode.LowerCase])
	}
}
