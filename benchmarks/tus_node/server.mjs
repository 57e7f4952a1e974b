// The peer of bench_upload.py in Node: @tus/server as its README sets it up, over its file store.
import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [folder, port] = process.argv.slice(2)
const tus = new Server({ path: '/files', datastore: new FileStore({ directory: folder }) })
createServer((request, response) => tus.handle(request, response)).listen(Number(port), '127.0.0.1')
