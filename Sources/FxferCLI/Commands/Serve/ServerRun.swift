import Fxfer
import Glibc
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The life of a server in a process that was prepared for it.
struct ServerRun: Sendable {
    let configuration: ServerConfiguration
    /// Where files are received, for a person.
    let place: String
    let access: AccessOptions.Loaded
    /// Brings an event when it is time to end; nil where only signals end the server.
    let end: AsyncStream<Void>?
    /// nil where nobody asked for them.
    let metrics: ServedMetrics?
    let manager: ServiceManager
    let logger: Logger

    /// Serves until the end, of which it tells by the process's exit status.
    func untilEnd() async {
        do {
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            async let _ = Self.exitAtSecond(signals)
            try await ServiceGroup(
                configuration: .init(
                    services: self.services,
                    // Without tokens or a manager, a hangup is that of the terminal where the server was started.
                    gracefulShutdownSignals: self.reloads ? [.sigterm, .sigint] : [.sigterm, .sigint, .sighup],
                    logger: self.logger
                )
            ).run()
            LogWriter.shared.drain()
        } catch {
            LogWriter.shared.drain()
            ExitStatus.exit(error)
        }
    }

    /// Whether SIGHUP asks for files to be read again.
    private var reloads: Bool { self.access.tokenFile != nil || self.manager.isListening }

    private var services: [ServiceGroupConfiguration.ServiceConfiguration] {
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        // The first one is the last that is told of a shutdown: metrics are there as long as there are transfers.
        if let metrics {
            services.append(.init(service: metrics.endpoint))
        }
        services.append(Self.essential(self.server))
        if let end {
            services.append(Self.essential(FirstEvent(of: end)))
        }
        if self.reloads {
            services.append(.init(service: Reloading(self.access, self.manager, self.logger)))
        }
        // The last one is the first that is told of a shutdown.
        services.append(.init(service: ShutdownNotice(to: self.manager)))
        return services
    }

    private var server: FileServer {
        let explanation = self.access.explanation(
            place: self.place,
            isSharing: self.configuration.isSharing
        )
        return FileServer(configuration: self.configuration, logger: self.logger) {
            [manager, access, metrics] address in
            if let remark = access.remark { StandardStream.error.write(line: "fxfer: \(remark)") }
            StandardStream.output.write(line: "listening on \(Endpoint(address)) (pid \(getpid()))")
            for line in explanation { StandardStream.output.write(line: line) }
            if let metrics { StandardStream.output.write(line: "metrics at \(metrics.place)") }
            manager.ready(status: "listening on \(Endpoint(address)), \(explanation[0])")
        }
    }

    /// A service whose end is the end of all.
    private static func essential(_ service: any Service) -> ServiceGroupConfiguration.ServiceConfiguration {
        .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
    }

    private static func exitAtSecond(_ signals: UnixSignalsSequence) async {
        var count = 0
        for await signal in signals {
            count += 1
            if count == 2 {
                Glibc.exit(ExitStatus.status(for: signal))
            }
        }
    }
}

/// Ends when the first event has come, or with the shutdown.
private struct FirstEvent: Service {
    private let events: AsyncStream<Void>

    init(of events: AsyncStream<Void>) {
        self.events = events
    }

    func run() async throws {
        _ = await self.events.cancelOnGracefulShutdown().first { true }
    }
}

/// Tells the service manager that a shutdown has begun.
private struct ShutdownNotice: Service {
    private let manager: ServiceManager

    init(to manager: ServiceManager) {
        self.manager = manager
    }

    func run() async throws {
        try await gracefulShutdown()
        self.manager.stopping()
    }
}
