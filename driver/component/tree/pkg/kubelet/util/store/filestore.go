// Package store keeps the kubelet's checkpoint files. This file takes the place of upstream's: the files are in memory.
package store

import (
	"path/filepath"
	"strings"

	utilfs "k8s.io/kubernetes/pkg/util/filesystem"
)

// Files are all files there are, by path. There is one node in the process, so nothing is locked.
var Files = map[string][]byte{}

// A Disk stands between the managers and their files.
type Disk interface {
	// Writing is told of a write that is about to be done; with an error nothing is.
	Writing(path string, data []byte) error
	// Written is told of one that was done.
	Written(path string)
	// Reading is told of a read; an error is its answer.
	Reading(path string) error
}

// Between is the disk; without one, all that is written is there at once.
var Between Disk

// FileStore is a directory of Files.
type FileStore struct {
	directory string
}

// NewFileStore returns the store of a directory; the file system is not looked at.
func NewFileStore(path string, _ utilfs.Filesystem) (Store, error) {
	return &FileStore{directory: path}, nil
}

// Write keeps the data, which the caller does not change afterwards.
func (f *FileStore) Write(key string, data []byte) error {
	if err := ValidateKey(key); err != nil {
		return err
	}
	path := filepath.Join(f.directory, key)
	if Between != nil {
		if err := Between.Writing(path, data); err != nil {
			return err
		}
	}
	Files[path] = data
	if Between != nil {
		Between.Written(path)
	}
	return nil
}

// Read answers ErrKeyNotFound where there is no such file.
func (f *FileStore) Read(key string) ([]byte, error) {
	if err := ValidateKey(key); err != nil {
		return nil, err
	}
	path := filepath.Join(f.directory, key)
	if Between != nil {
		if err := Between.Reading(path); err != nil {
			return nil, err
		}
	}
	data, ok := Files[path]
	if !ok {
		return nil, ErrKeyNotFound
	}
	return data, nil
}

// Delete removes a file; one that is not there is no error.
func (f *FileStore) Delete(key string) error {
	if err := ValidateKey(key); err != nil {
		return err
	}
	delete(Files, filepath.Join(f.directory, key))
	return nil
}

// List returns the names of the files.
func (f *FileStore) List() ([]string, error) {
	keys := []string{}
	for path := range Files {
		if name, ok := strings.CutPrefix(path, f.directory+"/"); ok && !strings.HasPrefix(name, ".") {
			keys = append(keys, name)
		}
	}
	return keys, nil
}
