// An informer of client-go over the config maps of the namespace default, and beside it a request each second, as a controller makes them, until
// stdin closes. Says of each event what the config map holds under `number`: `added 1`, `updated 2`; `listed` whenever the informer had to list,
// since events between two lists are lost; `asked` or `failed: …` for each request; `opened` and `closed` or `spare` for each connection.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		fail(err)
	}
	config.Dial = dial
	maps := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps("default")
	source := &cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
			list, err := maps.List(context.Background(), options)
			if err == nil {
				fmt.Println("listed")
			}
			return list, err
		},
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			return maps.Watch(context.Background(), options)
		},
	}
	tell := func(what string, object any) { fmt.Println(what, object.(*corev1.ConfigMap).Data["number"]) }
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: listThenWatch{source},
		ObjectType:    &corev1.ConfigMap{},
		ResyncPeriod:  0 * time.Second,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { tell("added", object) },
			UpdateFunc: func(_, object any) { tell("updated", object) },
		},
	})
	stop := make(chan struct{})
	go informer.Run(stop)
	go func() {
		for range time.Tick(time.Second) {
			if _, err := maps.List(context.Background(), metav1.ListOptions{Limit: 1}); err != nil {
				fmt.Println("failed:", err)
			} else {
				fmt.Println("asked")
			}
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	close(stop)
}

// A connection that says when it ends. Of two requests that need a new one at the same moment each dials; the one that is not needed is closed
// within moments, and said to be `spare`.
type connection struct {
	net.Conn
	opened time.Time
	closed sync.Once
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	inner, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	fmt.Println("opened")
	return &connection{Conn: inner, opened: time.Now()}, nil
}

func (c *connection) Close() error {
	c.closed.Do(func() {
		if time.Since(c.opened) < 5*time.Second {
			fmt.Println("spare")
		} else {
			fmt.Println("closed")
		}
	})
	return c.Conn.Close()
}

// Without the streaming list, so that a new list is seen.
type listThenWatch struct{ *cache.ListWatch }

func (listThenWatch) IsWatchListSemanticsUnSupported() bool { return true }

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
