/**
 * PostgreSQL 17 with pgvector in a folder of its own: Debian's packages with everything they depend on, downloaded with apt,
 * checked against Debian's keys, unpacked beside the system and never installed into it. What is there stays in the cache;
 * a half-made one is thrown away.
 */
import { execFile } from "node:child_process"
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

// initdb needs a shell, which every Debian has and therefore nothing depends on.
const packages = ["postgresql-17", "postgresql-17-pgvector", "dash"]
const release = "trixie"
const defaultMirror = "http://deb.debian.org/debian"

/** Raised with the recipe: a cache made by another one is not used. */
const recipe = "3"

/** Where the root folder is kept between runs. */
export const cacheFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "gbrain-effect")

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

/** Why it cannot be done this way here; undefined when it can. */
export const whyNotInstallable = async (): Promise<string | undefined> => {
  if (process.platform !== "linux") return "not Linux"
  if (process.getuid?.() !== 0) return "not root"
  if (!(await exists("/usr/bin/apt-get")) || !(await exists("/usr/bin/dpkg"))) return "no apt and dpkg"
  return undefined
}

/** The root folder with Postgres in it; made when it is not there yet. `say` tells a person what takes so long. */
export const installPostgres = async (say: (text: string) => void): Promise<string> => {
  const root = join(cacheFolder(), "postgres-17")
  if (await isComplete(root)) return root
  await mkdir(cacheFolder(), { recursive: true })
  const work = await mkdtemp(join(cacheFolder(), "installing-"))
  try {
    say(`fetching PostgreSQL 17 and pgvector (Debian ${release}, about 100 MB, once) into ${root}`)
    const archives = await download(work)
    const made = join(work, "root")
    await mkdir(made)
    // Unpacking in order of names is enough: nothing is configured, and no maintainer's script runs.
    for (const archive of archives) await run("dpkg", ["-x", archive, made])
    await furnish(made)
    await writeFile(
      join(made, ".complete"),
      `${recipe}\n${archives.map((path) => path.split("/").pop()).join("\n")}\n`
    )
    // Two runs may come here at once: the first to rename wins, and the other uses what is there, where a server may run by now.
    await rename(made, root).catch(async () => {
      if (await isComplete(root)) return
      await rm(root, { recursive: true, force: true })
      await rename(made, root)
    })
    return root
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const isComplete = async (root: string): Promise<boolean> => {
  const stamp = await readFile(join(root, ".complete"), "utf8").catch(() => "")
  return stamp.startsWith(`${recipe}\n`)
}

const download = async (work: string): Promise<ReadonlyArray<string>> => {
  const apt = join(work, "apt")
  for (const folder of ["lists/partial", "archives/partial", "parts", "keys"])
    await mkdir(join(apt, folder), { recursive: true })
  await writeFile(join(apt, "status"), "")
  await writeFile(
    join(apt, "sources.list"),
    `deb [signed-by=${await keyring(apt)}] ${await mirror()} ${release} main\n`
  )
  const options = [
    `Dir::Etc::SourceList=${apt}/sources.list`,
    `Dir::Etc::SourceParts=${apt}/parts`,
    `Dir::Etc::PreferencesParts=${apt}/parts`,
    `Dir::State::Lists=${apt}/lists`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache::Archives=${apt}/archives`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    "APT::Install-Recommends=false",
    "Acquire::Retries=3",
    "Acquire::Languages=none",
    // The folders belong to root alone, and so must the download.
    "APT::Sandbox::User=root"
  ].flatMap((option) => ["-o", option])
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" }
  const patience = { env, maxBuffer: 64 * 1024 * 1024 }
  await run("apt-get", [...options, "--quiet", "update"], patience)
  await run("apt-get", [...options, "--quiet", "--yes", "--download-only", "install", ...packages], patience)
  const folder = join(apt, "archives")
  return (await readdir(folder))
    .filter((name) => name.endsWith(".deb"))
    .sort()
    .map((name) => join(folder, name))
}

/** The Debian mirror that this system uses, so that a proxy or a copy nearby is used; Debian's own elsewhere. */
const mirror = async (): Promise<string> => {
  const folder = "/etc/apt/sources.list.d"
  const files = [
    "/etc/apt/sources.list",
    ...(await readdir(folder).catch(() => [])).map((name) => join(folder, name))
  ]
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => "")
    const found = /(?:^URIs:\s*|^deb\s+(?:\[[^\]]*\]\s+)?)(https?:\/\/\S+\/debian\/?)(?:\s|$)/m.exec(
      text
    )?.[1]
    if (found !== undefined) return found
  }
  return defaultMirror
}

/** Debian's keys: the system's on Debian, and on Ubuntu those of a package that Ubuntu's own keys vouch for. */
const keyring = async (apt: string): Promise<string> => {
  const name = "usr/share/keyrings/debian-archive-keyring.gpg"
  if (await exists(`/${name}`)) return `/${name}`
  const folder = join(apt, "keys")
  await run("apt-get", ["--quiet", "download", "debian-archive-keyring"], { cwd: folder })
  const [archive] = await readdir(folder)
  if (archive === undefined)
    throw new Error("Debian's keys are not to be had: install the package debian-archive-keyring")
  await run("dpkg", ["-x", join(folder, archive), folder])
  return join(folder, name)
}

/** What the packages' scripts would have made: users, devices, places to write. */
const furnish = async (root: string): Promise<void> => {
  // Packages come with the merged layout, whose links belong to a package that runs scripts.
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    const old = join(root, folder)
    const merged = join(root, "usr", folder)
    await mkdir(merged, { recursive: true })
    const isLink = await run("test", ["-L", old]).then(
      () => true,
      () => false
    )
    if (!isLink) {
      if (await exists(old)) await cp(old, merged, { recursive: true, verbatimSymlinks: true })
      await rm(old, { recursive: true, force: true })
      await run("ln", ["-s", `usr/${folder}`, old])
    }
  }
  for (const folder of ["etc", "dev", "tmp", "var/run/postgresql", "data"])
    await mkdir(join(root, folder), { recursive: true })
  await writeFile(
    join(root, "etc/passwd"),
    `root:x:0:0::/root:/bin/sh\npostgres:x:${postgresUser}:${postgresUser}::/data:/bin/sh\n`
  )
  await writeFile(join(root, "etc/group"), `root:x:0:\npostgres:x:${postgresUser}:\n`)
  for (const [name, major, minor] of [
    ["null", "1", "3"],
    ["zero", "1", "5"],
    ["random", "1", "8"],
    ["urandom", "1", "9"]
  ] as const) {
    const device = join(root, "dev", name)
    if (!(await exists(device))) await run("mknod", ["-m", "666", device, "c", major, minor])
  }
  await run("chmod", ["1777", join(root, "tmp")])
  await run("chown", [
    "-R",
    `${postgresUser}:${postgresUser}`,
    join(root, "data"),
    join(root, "var/run/postgresql")
  ])
  await run("ldconfig", ["-r", root]).catch(() => run("chroot", [root, "/sbin/ldconfig"]))
}

/** The user that the server runs as, inside its root. Any number that is not root's. */
export const postgresUser = "26997"
