// Asks golang.org/x/mod/sumdb, which knows nothing of us, for its verdicts; see __init__.py for what goes in and out.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o sumdb sumdb.go && ./sumdb cases.json
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Kind             string
	Note, Leaf       []byte
	Index, Old, Size int64
	Before, Root     string
	Path             []string
}

// Go's decoder takes several spellings of one value, and line ends within it, unless told otherwise.
func strict(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("line end within base64")
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

func hash(text string) (tlog.Hash, error) {
	var result tlog.Hash
	data, err := strict(text)
	if err != nil || len(data) != tlog.HashSize {
		return result, fmt.Errorf("no hash: %v", err)
	}
	copy(result[:], data)
	return result, nil
}

func hashes(texts []string) ([]tlog.Hash, error) {
	result := []tlog.Hash{}
	for _, text := range texts {
		one, err := hash(text)
		if err != nil {
			return nil, err
		}
		result = append(result, one)
	}
	return result, nil
}

// The packages read no tlog-checkpoint, only the tree notes of sum.golang.org, so its three lines are read here.
func checkpoint(data []byte, verifier note.Verifier) error {
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	for _, signature := range opened.Sigs {
		if _, err := strict(signature.Base64); err != nil {
			return err
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return fmt.Errorf("not the three lines of this log")
	}
	if size, err := strconv.ParseInt(lines[1], 10, 64); err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return fmt.Errorf("no size")
	}
	_, err = hash(lines[2])
	return err
}

func judge(asked question, verifier note.Verifier) error {
	if asked.Kind == "checkpoint" {
		return checkpoint(asked.Note, verifier)
	}
	root, err := hash(asked.Root)
	if err != nil {
		return err
	}
	path, err := hashes(asked.Path)
	if err != nil {
		return err
	}
	if asked.Kind == "inclusion" {
		return tlog.CheckRecord(path, asked.Size, root, asked.Index, tlog.RecordHash(asked.Leaf))
	}
	before, err := hash(asked.Before)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, asked.Size, root, asked.Old, before)
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var asked struct {
		Log   string
		Cases []question
	}
	if err := json.Unmarshal(data, &asked); err != nil {
		log.Fatal(err)
	}
	verifier, err := note.NewVerifier(asked.Log)
	if err != nil {
		log.Fatal(err)
	}
	for _, one := range asked.Cases {
		if judge(one, verifier) == nil {
			fmt.Println(1)
		} else {
			fmt.Println(0)
		}
	}
}
