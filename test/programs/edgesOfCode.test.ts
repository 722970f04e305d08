/** Real code, from its files to who calls whom: two files of each language, imported, and their edges resolved. On both databases. */
import { expect, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Path } from "effect"
import { SqlClient } from "effect/sql"
import { edgesOfSymbol } from "../../src/programs/code/callers.ts"
import { edgesBackfill } from "../../src/programs/edges/edgesBackfill.ts"
import { edgesLayer } from "../../src/programs/edges/layer.ts"
import { defaultImportOptions, importDirectory } from "../../src/programs/import/importDirectory.ts"
import { importLayer } from "../../src/programs/import/layer.ts"
import { Sources } from "../../src/services/Sources.ts"
import { onBothDatabases } from "../support/brains.ts"

/** What one file says of the other, as `from type to: file symbol`. */
interface Pair {
  readonly files: Readonly<Record<string, string>>
  readonly edges: ReadonlyArray<string>
}

const pairs: Readonly<Record<string, Pair>> = {
  typescript: {
    files: {
      "ts/users.ts": "export class Users {}\nexport function load() {}\n",
      "ts/client.ts": "export default class Client {}\n",
      "ts/app.ts":
        'import { Users, load as fetchAll } from "./users"\nimport Client from "./client"\n' +
        "export class App extends Users {}\nexport function main() { fetchAll(); return new Client() }\n"
    },
    edges: [
      "App extends Users: ts/users.ts Users",
      "main calls ./users::load: ts/users.ts load",
      "main calls Client: ts/client.ts Client",
      "ts/app.ts imports ./users::Users: ts/users.ts Users",
      "ts/app.ts imports ./users::load: ts/users.ts load"
    ]
  },
  python: {
    files: {
      "py/acme/users.py": "class Base:\n    pass\n\ndef load():\n    pass\n",
      "py/app.py":
        "from acme import users\nfrom acme.users import Base, load as fetch\n\n" +
        "class App(Base):\n    pass\n\ndef one():\n    users.load()\n\ndef two():\n    fetch()\n"
    },
    edges: [
      "App extends Base: py/acme/users.py Base",
      "one calls acme::load: py/acme/users.py load",
      "py/app.py imports acme.users::Base: py/acme/users.py Base",
      "py/app.py imports acme.users::load: py/acme/users.py load",
      "two calls acme.users::load: py/acme/users.py load"
    ]
  },
  java: {
    files: {
      "java/com/acme/core/Store.java": "package com.acme.core;\npublic class Store {}\n",
      "java/com/acme/App.java":
        "package com.acme;\nimport com.acme.core.Store;\n" +
        "public class App extends Store { Store run() { return new Store(); } }\n"
    },
    edges: [
      "App extends Store: java/com/acme/core/Store.java Store",
      "App.run calls Store: java/com/acme/core/Store.java Store",
      "java/com/acme/App.java imports com.acme.core::Store: java/com/acme/core/Store.java Store"
    ]
  },
  kotlin: {
    files: {
      "kt/com/bolt/core/Depot.kt": "package com.bolt.core\nopen class Depot\n",
      "kt/com/bolt/Main.kt":
        "package com.bolt\nimport com.bolt.core.Depot\nclass Main : Depot()\nfun start() { Depot() }\n"
    },
    edges: [
      "Main extends Depot: kt/com/bolt/core/Depot.kt Depot",
      "kt/com/bolt/Main.kt imports com.bolt.core::Depot: kt/com/bolt/core/Depot.kt Depot",
      "start calls Depot: kt/com/bolt/core/Depot.kt Depot"
    ]
  },
  scala: {
    files: {
      "scala/com/mill/core/Wheel.scala": "package com.mill.core\nclass Wheel\n",
      "scala/com/mill/Turn.scala":
        "package com.mill\nimport com.mill.core.Wheel\nclass Turn extends Wheel { def go() = new Wheel() }\n"
    },
    edges: [
      "Turn extends Wheel: scala/com/mill/core/Wheel.scala Wheel",
      "Turn.go calls Wheel: scala/com/mill/core/Wheel.scala Wheel",
      "scala/com/mill/Turn.scala imports com.mill.core::Wheel: scala/com/mill/core/Wheel.scala Wheel"
    ]
  },
  php: {
    files: {
      "php/src/Models/Invoice.php": "<?php\nnamespace App\\Models;\nclass Invoice {}\n",
      "php/src/Http/Pay.php":
        "<?php\nnamespace App\\Http;\nuse App\\Models\\Invoice;\nclass Pay extends Invoice { function go() { return new Invoice(); } }\n"
    },
    edges: [
      "Pay extends Invoice: php/src/Models/Invoice.php Invoice",
      "Pay.go calls Invoice: php/src/Models/Invoice.php Invoice",
      "php/src/Http/Pay.php imports App\\Models::Invoice: php/src/Models/Invoice.php Invoice"
    ]
  },
  go: {
    files: {
      "go/store/store.go": "package store\n\nfunc OpenStore() {}\n",
      "go/main.go": 'package main\n\nimport "acme/store"\n\nfunc Serve() { store.OpenStore() }\n'
    },
    edges: ["Serve calls OpenStore: go/store/store.go OpenStore"]
  },
  rust: {
    files: {
      "rs/src/shelf.rs": "pub struct Shelf;\npub fn fill() {}\n",
      "rs/src/main.rs": "use crate::shelf::fill;\nfn main_loop() { fill(); }\n"
    },
    edges: [
      "main_loop calls fill: rs/src/shelf.rs fill",
      "rs/src/main.rs imports crate::shelf::fill: rs/src/shelf.rs fill"
    ]
  },
  ruby: {
    files: {
      "rb/boat.rb": "class Boat\n  def sail\n  end\nend\n",
      "rb/trip.rb": 'require_relative "boat"\nclass Trip < Boat\n  def go\n    sail\n  end\nend\n'
    },
    edges: ["Trip extends Boat: rb/boat.rb Boat"]
  },
  c: {
    files: {
      "c/lamp.h": "void light_lamp(void);\n",
      "c/lamp.c": '#include "lamp.h"\nvoid light_lamp(void) {}\n',
      "c/main.c": '#include "lamp.h"\nint turn_on(void) { light_lamp(); return 0; }\n'
    },
    edges: ["turn_on calls light_lamp: c/lamp.c light_lamp"]
  }
}

const resolvedEdges = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ line: string }>`
    select from_symbol_qualified || ' ' || edge_type || ' ' || to_symbol_qualified || ': '
      || coalesce(page.frontmatter->>'file', page.slug) || ' ' || chunk.symbol_name_qualified as line
    from code_edges_symbol
    join content_chunks chunk on chunk.id = (edge_metadata->>'resolved_chunk_id')::int join pages page on page.id = chunk.page_id`
  return rows.map((row) => row.line)
})

onBothDatabases("code, from its files to who calls whom", (brain) => {
  it.live("calls, imports and ancestors lead to the other file, in every language", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* fs.makeTempDirectoryScoped()
      for (const { files } of Object.values(pairs)) {
        for (const [name, text] of Object.entries(files)) {
          yield* fs.makeDirectory(path.dirname(path.join(directory, name)), { recursive: true })
          yield* fs.writeFileString(path.join(directory, name), text)
        }
      }
      // A note whose slug a module could have is no file of code.
      yield* sql`insert into pages (slug, type, title) values ('ts-users', 'note', 'Users')`
      yield* importDirectory({ ...defaultImportOptions, strategy: "code", directory }).pipe(
        Effect.provide(importLayer({ workers: 2 }))
      )
      yield* edgesBackfill({ sourceId: Option.none(), maxChunks: Option.none(), dryRun: false }).pipe(
        Effect.provide(edgesLayer({ workers: 2 }))
      )
      const found = yield* resolvedEdges
      for (const [language, { edges, files }] of Object.entries(pairs)) {
        const [folder = ""] = (Object.keys(files)[0] ?? "").split("/")
        const ofLanguage = found.filter((line) => line.includes(`: ${folder}/`)).toSorted()
        expect({ language, edges: ofLanguage }).toMatchObject({
          language,
          edges: expect.arrayContaining([...edges])
        })
      }
      const callers = yield* edgesOfSymbol("load", {
        direction: "callers",
        limit: 100,
        sourceId: Option.none()
      }).pipe(Effect.provide(Sources.layer))
      expect(callers.edges.map((edge) => edge.from_symbol_qualified).toSorted()).toEqual([
        "main",
        "one",
        "py/app.py",
        "ts/app.ts",
        "two"
      ])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
