// SPDX-License-Identifier: MIT

// A management client made from github.com/apparentlymart/go-openvpn-mgmt, as its documentation does it:
// subscribes, asks, releases the hold, and prints what it is told, a line each, until the end.
//
//	events ADDRESS    HOST:PORT, or the absolute path of a socket
//
// Notifications are printed as they were (">STATE:..."), answers by a word of their own.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/apparentlymart/go-openvpn-mgmt/openvpn"
)

func show(event openvpn.Event) {
	switch e := event.(type) {
	case *openvpn.StateEvent:
		fmt.Printf(">STATE:%s,%s,%s,%s\n", e.NewState(), e.Description(), e.LocalTunnelAddr(), e.RemoteAddr())
	case *openvpn.ByteCountEvent:
		fmt.Printf(">BYTECOUNT:%d,%d\n", e.BytesIn(), e.BytesOut())
	case *openvpn.HoldEvent:
		fmt.Println(">HOLD:")
	case *openvpn.EchoEvent:
		fmt.Printf(">ECHO:%s\n", e.Message())
	case *openvpn.UnknownEvent:
		fmt.Printf(">%s:%s\n", e.Type(), e.Body())
	default:
		fmt.Printf("what is this: %v\n", event)
	}
}

func must(what string, err error) {
	if err != nil {
		fmt.Printf("%s: error: %v\n", what, err)
	} else {
		fmt.Printf("%s: done\n", what)
	}
}

func main() {
	events := make(chan openvpn.Event) // without a buffer: the package reuses what an event points to
	client, err := openvpn.Dial(os.Args[1], events)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	ended := make(chan bool)
	go func() {
		for event := range events {
			show(event)
		}
		close(ended)
	}()

	must("state on", client.SetStateEvents(true))
	must("echo on", client.SetEchoEvents(true))
	must("bytecount", client.SetByteCountEvents(time.Second))
	pid, err := client.Pid()
	must("pid", err)
	fmt.Printf("pid %d\n", pid)
	state, err := client.LatestState()
	must("state", err)
	if err == nil {
		fmt.Printf("state %s\n", state.NewState())
	}
	must("hold release", client.HoldRelease())
	<-ended
	fmt.Println("closed")
}
