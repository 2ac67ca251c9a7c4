// These sources are compiled inside a Kubernetes tree; this file only keeps them out of the module above.
module pinproof.dev/component

go 1.21
