package main

func resealed(text []byte) []byte { return text }
