/** What the extraction asks of a brain, answered by the world instead of SQL. */
import { Duration, Effect, Layer, Option, Result, Stream } from "effect"
import { decideHold } from "../../src/services/budget/decideHold.ts"
import { resilient } from "../../src/services/database/Resilience.ts"
import { Books } from "../../src/services/Books.ts"
import { BrainConfig } from "../../src/services/BrainConfig.ts"
import { Conversations } from "../../src/services/Conversations.ts"
import { VectorColumns } from "../../src/services/EmbeddingWidth.ts"
import { Entities } from "../../src/services/Entities.ts"
import { type Committed } from "../../src/services/facts/commitPages.ts"
import {
  type CommitError,
  type CommitReport,
  commitTogether,
  FactStore,
  PageChanged,
  type PageOutcome
} from "../../src/services/FactStore.ts"
import { Journal } from "../../src/services/Journal.ts"
import { LeaseStore } from "../../src/services/leases/LeaseStore.ts"
import { Ledger, LedgerUnavailable } from "../../src/services/Ledger.ts"
import { LeaseLost, PageLease } from "../../src/services/PageLease.ts"
import { Runs } from "../../src/services/Runs.ts"
import { SegmentFailures } from "../../src/services/SegmentFailures.ts"
import { Sources } from "../../src/services/Sources.ts"
import * as Money from "../../src/domain/Money.ts"
import { type SimulatedPage, type SimulatedProcess, statement, violated, type World } from "./World.ts"

/** Width of the vectors. */
export const dimensions = 16

const ttl = Duration.toMillis("2 minutes")
const grace = Duration.toMillis("1 minute")

/** The version token of a page's content, as `pageVersionToken` makes it of a page without a date. */
export const tokenOf = (page: SimulatedPage): string => `page-${page.version}-none`

/** Lease rows. */
export const leaseStore = (world: World, process: SimulatedProcess) => {
  const does = <A>(act: (now: number) => A) => statement(world, process, act)
  const mine = (lease: { readonly id: string; readonly token: string }) => {
    const row = world.leases.get(lease.id)
    return (
      row !== undefined && row.pid === process.pid && row.host === process.host && row.token === lease.token
    )
  }
  const tryTake = (id: string, deadPid: number | null, now: number) => {
    const row = world.leases.get(id)
    const free =
      row === undefined ||
      (row.expiresAt < now && row.refreshedAt < now - grace) ||
      (row.host === process.host && row.pid === deadPid) ||
      world.mutation === "leases for all"
    if (!free) return { token: row.token, holderPid: row.pid, holderHost: row.host, taken: false }
    if (row !== undefined && row.pid !== process.pid && world.processes.get(row.pid)?.alive === true) {
      if (row.expiresAt >= now) violated(world, "a lease was taken from somebody who is alive")
    }
    const token = String(world.nextToken++)
    world.leases.set(id, {
      token,
      pid: process.pid,
      host: process.host,
      takenAt: now,
      expiresAt: now + ttl,
      refreshedAt: now
    })
    return { token, holderPid: process.pid, holderHost: process.host, taken: true }
  }
  return LeaseStore.of({
    takeFree: (ids) =>
      does((now) => {
        const free = ids.filter((id) => !world.leases.has(id))
        return new Map(free.map((id) => [id, tryTake(id, null, now).token]))
      }),
    tryTake: (id, deadPid) => does((now) => tryTake(id, deadPid, now)),
    giveBack: (leases) =>
      does(() => {
        for (const lease of leases) if (mine(lease)) world.leases.delete(lease.id)
      }),
    abandon: (id) =>
      does(() => {
        if (world.leases.get(id)?.pid === process.pid) world.leases.delete(id)
      }),
    renew: (leases) =>
      does((now) => {
        const kept = leases.filter(mine)
        for (const { id } of kept) {
          const row = world.leases.get(id)
          if (row !== undefined) Object.assign(row, { expiresAt: now + ttl, refreshedAt: now })
        }
        return new Set(kept.map(({ id }) => id))
      }),
    confirm: (leases) => does(() => new Set(leases.filter(mine)))
  })
}

const conversations = (world: World, process: SimulatedProcess) => {
  const does = <A>(act: (now: number) => A) => resilient(statement(world, process, act))
  const live = () => [...world.pages.values()].filter((page) => !page.deleted)
  const done = (page: SimulatedPage) => page.mark === tokenOf(page) || page.setAside === tokenOf(page)
  const bySlug = (slug: string) => [...world.pages.values()].find((page) => page.slug === slug)
  return Conversations.of({
    candidates: (_scope, { includeDone }) =>
      Stream.paginate(Infinity, (before) =>
        Effect.map(
          does(() =>
            live()
              .filter((page) => page.id < before && (includeDone || !done(page)))
              .sort((a, b) => b.id - a.id)
              .slice(0, 2)
          ),
          (pages) => {
            const last = pages[1]
            return [
              pages.map(({ id, slug }) => ({
                id,
                slug,
                sourceId: "default",
                versionUnknown: false,
                forced: false
              })),
              last === undefined ? Option.none() : Option.some(last.id)
            ] as const
          }
        )
      ),
    isThere: (slug) => does(() => live().some((page) => page.slug === slug)),
    count: () =>
      does(() => ({
        total: live().length,
        complete: live().filter((page) => page.mark === tokenOf(page)).length,
        notApplicable: 0,
        setAside: live().filter((page) => page.setAside === tokenOf(page)).length,
        optedOut: 0,
        toDo: live().filter((page) => !done(page)).length,
        toDoBytes: 0
      })),
    load: (id) =>
      does(() =>
        Option.map(Option.fromUndefinedOr(world.pages.get(id)), (page) => ({
          id,
          source_id: "default",
          slug: page.slug,
          type: "conversation",
          title: page.slug,
          compiled_truth: page.body,
          timeline: "",
          frontmatter: {},
          content_hash: String(page.version),
          effective_date: null,
          effective_date_source: null,
          fingerprint: `${page.version} ${page.deleted}`,
          bytes: page.body.length,
          local_path: null,
          deleted: page.deleted
        }))
      ),
    markOf: ({ slug }, token) =>
      does(() => {
        const page = bySlug(slug)
        if (page?.mark === token) return Option.some("complete" as const)
        return page?.setAside === token ? Option.some("set-aside" as const) : Option.none()
      }),
    setAside: ({ slug }, token) =>
      does(() => {
        const page = bySlug(slug)
        if (page !== undefined) page.setAside = token
      }),
    force: () => does((now) => ({ since: new Date(now), fresh: true })),
    forced: () => does(() => Option.none())
  })
}

const factStore = (world: World, process: SimulatedProcess) => {
  const commit = (outcome: PageOutcome): Result.Result<CommitReport, CommitError> => {
    const { facts, lease, mark, page: named } = outcome
    const row = world.leases.get(lease.id)
    const held = row !== undefined && row.pid === process.pid && row.token === lease.token
    if (!held && world.mutation !== "no fence") {
      world.seen.fenced++
      return Result.fail(new LeaseLost({ id: lease.id, message: "lost" }))
    }
    if (!held) violated(world, "a page was written by somebody who had lost its lease")
    const page = world.pages.get(named.id)
    if (page === undefined || outcome.fingerprint !== `${page.version} ${page.deleted}`) {
      return Result.fail(new PageChanged({ slug: named.slug, message: "changed" }))
    }
    for (const { vectorKey } of facts) {
      if (!world.vectors.delete(vectorKey)) violated(world, `a fact of ${page.slug} has no vector`)
    }
    const stay = outcome.replace === "all" && world.mutation !== "facts pile up" ? [] : page.facts
    page.facts = [...stay, ...facts]
    const said = new Set(page.facts.map(({ fact }) => fact))
    if (said.size !== page.facts.length) violated(world, "a fact is there twice")
    // Without a new mark the earlier one stays.
    page.mark = Option.getOrElse(
      Option.map(mark, ({ versionToken }) => versionToken),
      () => page.mark
    )
    world.seen.commits++
    return Result.succeed({ inserted: facts.length, cleaned: 0 })
  }
  return FactStore.of({
    makeIndex: Effect.void,
    commit: commitTogether((outcomes) =>
      Effect.suspend(() => {
        // As the transaction's id tells a real one: an attempt that was committed is not made again.
        let committed: Committed | undefined
        return resilient(
          Effect.andThen(
            Effect.sleep(world.chance.between(0, world.commitTakes)),
            statement(world, process, () => {
              if (outcomes.length > 1) world.seen.joined++
              committed ??= new Map(outcomes.map((outcome) => [outcome, commit(outcome)]))
              return committed
            })
          )
        )
      })
    ),
    wasEverComplete: (_source, slug) =>
      resilient(
        statement(world, process, () =>
          [...world.pages.values()].some((page) => page.slug === slug && page.mark !== undefined)
        )
      )
  })
}

const journal = (world: World, process: SimulatedProcess) => {
  const does = <A>(act: (now: number) => A) => resilient(statement(world, process, act))
  const known = <A>(all: ReadonlyMap<string, A>, keys: ReadonlyArray<string>) =>
    new Map(
      keys.flatMap((key) => {
        const value = all.get(key)
        return value === undefined ? [] : [[key, value] as const]
      })
    )
  return Journal.of({
    answers: (keys) => does(() => known(world.answers, keys)),
    recordAnswer: ({ answer, key }) =>
      does((now) => {
        world.recorded.set(key, { at: now, pid: process.pid })
        if (world.mutation !== "no journal") world.answers.set(key, answer)
      }),
    usual: () => does(() => ({ answers: 0, outputTokens: 0 })),
    holdsVectors: does(() => world.vectors.size > 0),
    vectors: (keys) => does(() => known(world.vectors, keys)),
    // Facts here keep no vectors: those of a page that is written again are made again.
    adoptVectors: (_page, _model, entries) =>
      does(() =>
        known(
          world.vectors,
          entries.map(({ key }) => key)
        )
      ),
    recordVectors: (entries) =>
      does(() => {
        for (const { key, vector } of entries) if (!world.vectors.has(key)) world.vectors.set(key, vector)
      })
  })
}

const segmentFailures = (world: World, process: SimulatedProcess) => {
  const does = <A>(act: () => A) => resilient(statement(world, process, act))
  const read = (key: string) => {
    const { attempts, reason } = world.failures.get(key) ?? { attempts: 0, reason: "" }
    return { key, attempts, reason, givenUp: attempts >= 3 }
  }
  return SegmentFailures.of({
    find: (keys) =>
      does(() => new Map(keys.filter((key) => world.failures.has(key)).map((key) => [key, read(key)]))),
    record: ({ key, reason }) =>
      does(() => {
        world.failures.set(key, { attempts: read(key).attempts + 1, reason })
        return read(key)
      }),
    forget: (keys) =>
      does(() => {
        for (const key of keys) world.failures.delete(key)
      })
  })
}

const ledger = (world: World, process: SimulatedProcess) => {
  const owner = String(process.pid)
  const does = <A>(act: (now: number) => A) =>
    resilient(statement(world, process, act)).pipe(
      Effect.mapError(() => new LedgerUnavailable({ message: "the ledger is away" }))
    )
  const sum = (amounts: ReadonlyArray<bigint>) => Money.fromPico(amounts.reduce((all, it) => all + it, 0n))
  return Ledger.of({
    capped: world.dailyCap !== undefined,
    hold: ({ committed, day, need, spent, want }) =>
      does((now) => {
        const ours = day === "today" ? committed : Money.zero
        const others = [...world.ledger].filter(([name]) => name !== owner).map(([, row]) => row)
        const today = world.mutation === "selfish ledger" ? Money.zero : sum(others.map(({ held }) => held))
        const decided = decideHold({
          committed: ours,
          need,
          want,
          caps: {
            daily: Option.map(Option.fromUndefinedOr(world.dailyCap), Money.fromPico),
            monthly: Option.none(),
            purse: Option.none()
          },
          others: {
            today,
            month: today,
            purse: Money.zero,
            unspentOfPurse: Money.zero,
            unspent: sum(
              others.filter((row) => row.heardAt > now - 120_000).map((row) => row.held - row.spent)
            )
          }
        })
        const limit = "limit" in decided ? decided.limit : ours
        world.ledger.set(owner, { held: limit, spent, heardAt: now })
        return "limit" in decided ? { day: "today", limit, endsAt: Infinity } : { ...decided, day: "today" }
      }),
    settle: (_day, spent) => does((now) => void world.ledger.set(owner, { held: spent, spent, heardAt: now }))
  })
}

/** All of a brain, for one process. */
export const brainOf = (world: World, process: SimulatedProcess) => {
  const does = <A>(act: () => A) => resilient(statement(world, process, act))
  const unused = Effect.die(new Error("not part of the simulation"))
  return Layer.mergeAll(
    Layer.succeed(Conversations, conversations(world, process)),
    Layer.succeed(FactStore, factStore(world, process)),
    Layer.succeed(Journal, journal(world, process)),
    Layer.succeed(SegmentFailures, segmentFailures(world, process)),
    Layer.succeed(Ledger, ledger(world, process)),
    Layer.succeed(Entities, Entities.of({ resolve: () => does(() => Option.none()) })),
    Layer.succeed(Sources, {
      all: unused,
      idsFor: () => does(() => ["default"]),
      add: () => unused,
      remove: () => unused
    }),
    Layer.succeed(BrainConfig, {
      all: does(() => new Map()),
      get: () => does(() => Option.none()),
      set: () => unused,
      unset: () => unused
    }),
    Layer.succeed(Runs, {
      begin: () => does(() => ({ id: "1" })),
      finish: () => does(() => {}),
      underWaySince: () => Effect.succeed("now"),
      lastReports: () => does(() => [])
    }),
    Layer.succeed(Books, { addToRollup: () => does(() => {}), writeReceipt: () => does(() => {}) }),
    Layer.succeed(VectorColumns, {
      all: does(() => [{ table: "facts", type: "vector", dimensions } as const])
    }),
    PageLease.layerStore.pipe(Layer.provide(Layer.succeed(LeaseStore, leaseStore(world, process))))
  )
}
