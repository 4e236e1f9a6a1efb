// The real Dex, an identity provider, as the sign-on tests need it: its own server on a free loopback port, everything in memory, one client
// without a secret, one person. Dex's command cannot be built from the published module: it needs an unpublished version of its own API.
//
// Prints the issuer as one line, then serves until stdin closes.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/authflow"
	"github.com/dexidp/dex/server/connectors"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/server/tokens"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"golang.org/x/crypto/bcrypt"
)

const (
	client   = "cce-login"
	email    = "jane@example.com"
	password = "correct horse battery"
)

// Dex's memory, usable from within a change of a refresh token: there Dex looks for the person's session, and the memory's one lock would wait
// for itself.
type reentrant struct {
	storage.Storage
	changing sync.Mutex
}

func (s *reentrant) UpdateRefreshToken(ctx context.Context, id string, change func(storage.RefreshToken) (storage.RefreshToken, error)) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	before, err := s.GetRefresh(ctx, id)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err != nil {
		return err
	}
	return s.Storage.UpdateRefreshToken(ctx, id, func(storage.RefreshToken) (storage.RefreshToken, error) { return after, nil })
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	now := func() time.Time { return time.Now().UTC() }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := fmt.Sprintf("http://%s", listener.Addr())
	hash, err := bcrypt.GenerateFromPassword([]byte(password), 10)
	if err != nil {
		return err
	}
	var store storage.Storage = &reentrant{Storage: memory.New(log)}
	store = storage.WithStaticClients(store, []storage.Client{{ID: client, Name: "kubectl cce-login", Public: true}})
	store = storage.WithStaticPasswords(store, []storage.Password{{Email: email, Hash: hash, Username: "jane", UserID: "1001"}}, log)
	store = storage.WithStaticConnectors(store, []storage.Connector{
		{ID: connectors.LocalConnector, Name: "Email", Type: connectors.LocalConnector},
	})
	local := signer.LocalConfig{KeysRotationPeriod: "6h"}
	keys, err := local.Open(context.Background(), store, time.Hour, now, log)
	if err != nil {
		return err
	}
	// A refresh token is good once: its successor comes with the answer.
	policy, err := tokens.NewRefreshTokenPolicy(log, false, "", "", "0s")
	if err != nil {
		return err
	}
	dex, err := server.NewServer(context.Background(), server.Config{
		Issuer:             issuer,
		Storage:            store,
		Signer:             keys,
		SkipApprovalScreen: true,
		PKCE:               authflow.PKCEConfig{CodeChallengeMethodsSupported: []string{"S256"}},
		RefreshTokenPolicy: policy,
		IDTokensValidFor:   time.Hour,
		Logger:             log,
		Now:                now,
	})
	if err != nil {
		return err
	}
	fmt.Println(issuer)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, dex)
}
