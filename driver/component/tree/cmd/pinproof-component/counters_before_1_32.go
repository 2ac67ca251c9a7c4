//go:build !since_1_32

package main

func countRejection(string) {}
