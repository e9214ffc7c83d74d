// The etcd server, as its own module has it: Go's proxy carries the source where no binary can be had.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
