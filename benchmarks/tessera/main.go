// Command tessera appends random entries to a fresh log of Tessera's POSIX driver, waits until a signed checkpoint
// covers all of them, and prints how long that took as one JSON object. benchmarks/tessera_peer.py starts it.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
)

var (
	folder      = flag.String("folder", "", "folder of the log; made, and must be empty")
	entries     = flag.Int("entries", 20_000, "how many entries")
	entryBytes  = flag.Int("entry-bytes", 256, "bytes of each entry")
	batchMax    = flag.Uint("batch", 2048, "most entries in a batch")
	batchAge    = flag.Duration("batch-age", 20*time.Millisecond, "longest wait for a batch to fill")
	outstanding = flag.Int("outstanding", 4096, "entries that callers have handed in and wait for")
)

// signer signs checkpoints as a signed note wants it, with an Ed25519 key of this run.
type signer struct {
	public ed25519.PublicKey
	secret ed25519.PrivateKey
}

func (s signer) Name() string { return "example.com/peer" }

// KeyHash is the key's id in a signed note: name, newline, algorithm 1, key, hashed.
func (s signer) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(s.Name()+"\n\x01"), s.public...))
	return binary.BigEndian.Uint32(sum[:])
}

func (s signer) Sign(message []byte) ([]byte, error) { return ed25519.Sign(s.secret, message), nil }

func main() {
	flag.Parse()
	seconds, err := run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"entries": *entries, "seconds": seconds}); err != nil {
		log.Fatal(err)
	}
}

// run returns the seconds from the first entry handed in to the checkpoint that covers the last one.
func run(ctx context.Context) (float64, error) {
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: *folder})
	if err != nil {
		return 0, err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer{public, secret}).
		WithBatching(*batchMax, *batchAge).
		WithPushback(uint(2 * *outstanding)).
		// The shortest interval the driver takes; it publishes for each batch where they come more slowly.
		WithCheckpointInterval(100 * time.Millisecond)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return 0, err
	}
	made := make([][]byte, *entries)
	for i := range made {
		made[i] = make([]byte, *entryBytes)
		if _, err := rand.Read(made[i]); err != nil {
			return 0, err
		}
	}
	started := time.Now()
	last, err := appendAll(ctx, appender, made)
	if err != nil {
		return 0, err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 5*time.Millisecond)
	if _, _, err := awaiter.Await(ctx, last); err != nil {
		return 0, err
	}
	seconds := time.Since(started).Seconds()
	return seconds, shutdown(ctx)
}

// appendAll hands all entries in, at most `outstanding` at a time, and returns the future with the largest index.
func appendAll(ctx context.Context, appender *tessera.Appender, made [][]byte) (tessera.IndexFuture, error) {
	var (
		group   sync.WaitGroup
		mutex   sync.Mutex
		largest tessera.Index
		failed  error
	)
	slots := make(chan struct{}, *outstanding)
	for _, data := range made {
		slots <- struct{}{}
		future := appender.Add(ctx, tessera.NewEntry(data))
		group.Add(1)
		go func() {
			defer group.Done()
			index, err := future()
			<-slots
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil && failed == nil {
				failed = err
			}
			if index.Index > largest.Index {
				largest = index
			}
		}()
	}
	group.Wait()
	if failed == nil && largest.Index != uint64(len(made)-1) {
		failed = fmt.Errorf("the last of %d entries has the index %d", len(made), largest.Index)
	}
	return func() (tessera.Index, error) { return largest, nil }, failed
}
