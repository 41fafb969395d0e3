import ArgumentParser
import Fxfer
import FxferMetrics
import FxferProtocol
import FxferS3
import Glibc
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// `fxfer serve --dir DIR`, or `--store s3://BUCKET`
struct ServeCommand: PreparingCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Receive files into a directory or a bucket.",
        discussion: """
            Takes connections from its own machine only, unless --token-file or --open let others in; those speak TLS \
            1.3. The first line on standard output says where it listens, the next ones who can do what; standard error \
            gets a line for each transfer, and for each connection that was refused or broke a rule. SIGTERM or SIGINT lets \
            transfers in flight end within the grace; a second one ends the server at once.

              fxfer serve --dir ./out
              fxfer serve --dir ./out --token-file tokens
              fxfer serve --dir ./out --listen 127.0.0.1:4000
              fxfer serve --dir ./out --share --on-conflict keep-both
              fxfer serve --store s3://bucket/prefix
            """
    )

    @Option(
        help: ArgumentHelp("The directory that receives files; made if needed.", valueName: "dir"),
        completion: .directory
    )
    var dir: String?

    @OptionGroup(title: "Object store")
    var objects: ObjectStoreOptions

    @Option(
        help: ArgumentHelp(
            "Where to listen; port 3000 on all addresses if not given, a free port for 0.",
            valueName: "[addr:]port"
        )
    )
    var listen: ListenAddress?

    @OptionGroup(title: "Access")
    var access: AccessOptions

    @Flag(help: "Let clients list the directory and get files from it (fxfer list, fxfer get).")
    var share = false

    @Option(
        help: ArgumentHelp(
            "What happens to a file whose name another one has.",
            discussion: "One with the same content is success in any case.",
            valueName: "refuse|replace|keep-both"
        )
    )
    var onConflict = ConflictRule.refuse

    @Option(
        help: ArgumentHelp(
            "How long what an interrupted upload has brought is kept, so that it can be gone on with; 0 for not at all.",
            valueName: "time"
        )
    )
    var keepPartials = DurationArgument(hours: 24)

    @Option(help: ArgumentHelp("How much of that is kept in all; the oldest goes first.", valueName: "bytes"))
    var maxPartials = SizeArgument(gibibytes: 100)

    @Option(help: ArgumentHelp("At most that many bytes a second, all clients together.", valueName: "rate"))
    var limitRate: RateArgument?

    @Option(
        help: ArgumentHelp(
            "Serve metrics in Prometheus' format at /metrics over HTTP, and /healthz, to everyone; on 127.0.0.1 without an "
                + "address.",
            valueName: "[addr:]port"
        )
    )
    var metrics: ListenAddress?

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @Option(help: ArgumentHelp("How long transfers in flight may go on after SIGTERM.", valueName: "seconds"))
    var grace: UInt32 = 10

    @Option(help: ArgumentHelp("The least level that is logged.", valueName: "level"))
    var logLevel = Logger.Level.info

    @Option(help: "How log lines are written.")
    var logFormat = LogFormat.text

    @Option(
        help: ArgumentHelp(
            "Send this file, unverified, to clients that speak the textbook's raw stream.",
            valueName: "file"
        ),
        completion: .file()
    )
    var legacy: String?

    @Flag(help: "End after one such client, as the textbook's server does.")
    var legacyOnce = false

    @Flag(
        help: ArgumentHelp(
            "Do without the sandbox.",
            discussion: """
                In it the process reaches only DIR, reads /proc and the folders of the token file and of --legacy's \
                file, and makes no connections (Linux 5.19 or later). With --store it connects to the store's port, and \
                reads /etc and the folder of the key's file.
                """
        )
    )
    var noSandbox = false

    func validate() throws {
        guard (self.dir == nil) != (self.objects.store == nil) else {
            throw ValidationError("give the place that receives files: either --dir DIR or --store s3://BUCKET")
        }
        try ObjectStoreOptions.refuseBucket(self.dir, "name it by --store")
        if self.objects.store != nil, self.limits.maxTotalSize != nil || self.limits.minFreeSpace.bytes > 0 {
            throw ValidationError("--max-total-size and --min-free-space are for a disk; a bucket has its own quotas")
        }
        if self.legacyOnce, self.legacy == nil {
            throw ValidationError("--legacy-once goes with --legacy FILE")
        }
    }

    func prepare() throws -> @Sendable () async throws -> Void {
        self.logFormat.bootstrap(level: self.logLevel)
        // Whatever the umask allows: what a server makes is not for everybody to write to.
        FileServer.withhold(permissions: 0o002)
        let maxDescriptors = OpenFileLimit.raise()
        let logger = Logger(label: "fxfer")
        var configuration = ServerConfiguration(directory: self.directory)
        configuration.address = self.listen?.address
        configuration.port = self.listen?.port ?? Endpoint.defaultPort
        configuration.grace = .seconds(self.grace)
        configuration.isSharing = self.share
        configuration.conflict = self.onConflict
        configuration.keepPartials = self.keepPartials.duration
        configuration.maxPartialBytes = self.maxPartials.bytes
        configuration.limiter = self.limitRate.map { RateLimiter(rate: $0.bytesPerSecond) }
        self.limits.apply(to: &configuration)
        let descriptorsForMetrics = self.metrics == nil ? 0 : MetricsEndpoint.maxDescriptors
        let descriptorsForStore = self.objects.store == nil ? 0 : ObjectStore.maxDescriptors
        configuration.limits.fit(descriptors: maxDescriptors - descriptorsForMetrics - descriptorsForStore)
        do {
            var rules = SandboxRules()
            let place = try self.objects.place()
            if let place { self.serve(from: place, &configuration, logger) }
            let access = try self.access.load(serving: place == nil ? configuration.directory : nil)
            access.apply(to: &configuration)
            if let file = access.tokenFile { rules.allowReading(file: file) }
            let (legacyEnds, legacyEnd) = AsyncStream<Void>.makeStream()
            if let legacy {
                let file = RawArgument(text: legacy).bytes
                configuration.guest = try LegacyGuest.make(
                    file: file,
                    timeout: configuration.limits.idleTimeout,
                    logger: logger,
                    onServed: { legacyEnd.yield() }
                )
                rules.allowReading(file: file)
            }
            let manager = ServiceManager.connect()
            configuration.socket = try self.openSocket(configuration)
            let metrics = try self.metrics.map { address throws(FxferError) in
                try ServedMetrics.open(at: address, configuration.health)
            }
            // After the sockets, whose ports may be taken, and before the sandbox, whose rules name folders that exist.
            if let place {
                place.allow(in: &rules)
            } else {
                try FileServer.makeDirectory(at: configuration.directory)
                rules.storing.append(configuration.directory)
            }
            try self.enterSandbox(rules, logger)
            let run = ServerRun(
                configuration: configuration,
                place: place?.description ?? EscapedText.escape(configuration.directory),
                access: access,
                end: self.legacyOnce ? legacyEnds : nil,
                metrics: metrics,
                manager: manager,
                logger: logger
            )
            return { await run.untilEnd() }
        } catch {
            ExitStatus.exit(error)
        }
    }

    /// Empty where a bucket is served.
    private var directory: [UInt8] { self.dir.map { RawArgument(text: $0).bytes } ?? [] }

    private func serve(
        from place: ObjectStoreOptions.Place,
        _ configuration: inout ServerConfiguration,
        _ logger: Logger
    ) {
        var options = ObjectStore.Options()
        options.conflict = self.onConflict.policy
        options.keepPartialsFor = self.keepPartials.duration
        options.maxPartialBytes = self.maxPartials.bytes
        configuration.largestChunk = ObjectStore.largestChunk
        configuration.storeOpening = { [options] in
            // A start that takes long is not to look like one that hangs.
            let notice = Task {
                try await Task.sleep(for: .seconds(3))
                logger.notice("the object store has not answered yet", metadata: ["place": "\(place.description)"])
            }
            defer { notice.cancel() }
            return try await ObjectStore.open(place.bucket, place.credentials, place.requests, options: options)
        }
    }

    /// The socket of a service manager, or one of our own. Other programs have no part in it from now on.
    private func openSocket(_ configuration: ServerConfiguration) throws(FxferError) -> ListeningSocket {
        guard let inherited = try InheritedSocket.take() else {
            return try ListeningSocket.open(address: configuration.address, port: configuration.port)
        }
        guard self.listen == nil else {
            throw FxferError(.usage, "this process was started with a socket to listen on; leave out --listen")
        }
        return inherited
    }

    private func enterSandbox(_ rules: SandboxRules, _ logger: Logger) throws(FxferError) {
        guard !self.noSandbox else { return }
        FileServer.prepareProcess()
        switch try Sandbox.enter(rules) {
        case .entered(let version):
            logger.debug("in the sandbox", metadata: ["landlock": "\(version)"])
        case .unavailable:
            let line = "fxfer: no sandbox: this kernel has no Landlock, or only that of before Linux 5.19"
            StandardStream.error.write(line: line)
        }
    }
}

extension ConflictRule: ExpressibleByArgument {}
