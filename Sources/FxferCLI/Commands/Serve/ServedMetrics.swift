import CoreMetrics
import Fxfer
import FxferMetrics
import FxferNetwork
import FxferProtocol
import FxferS3

/// What `serve --metrics` adds to a server.
struct ServedMetrics: Sendable {
    let endpoint: MetricsEndpoint
    /// The URL, with the real port.
    let place: String

    /// Listens, and has the process's metrics kept from now on. To be called once, before the server is made; starts no
    /// thread.
    ///
    /// - Throws: `cannotConnect` where the port cannot be had.
    static func open(at listen: ListenAddress, _ health: ServerHealth) throws(FxferError) -> ServedMetrics {
        let address = listen.isPortAlone ? "127.0.0.1" : listen.address
        let socket = try ListeningSocket.open(address: address, port: listen.port, option: "--metrics")
        let place = socket.endpoint ?? Endpoint(host: address ?? "::", port: listen.port)
        let metrics =
            ServerMetric.allCases.map { ($0.rawValue, $0.help, $0.buckets) }
            + StoreMetric.allCases.map { ($0.rawValue, $0.help, $0.buckets) }
        let descriptions = metrics.map { ($0.0, PrometheusRegistry.Description(help: $0.1, buckets: $0.2)) }
        let registry = PrometheusRegistry(Dictionary(uniqueKeysWithValues: descriptions))
        MetricsSystem.bootstrap(registry)
        return ServedMetrics(
            endpoint: MetricsEndpoint(socket: socket, registry: registry) {
                let state = health.state
                return (state.rawValue, state == .serving)
            },
            place: "http://\(place)/metrics"
        )
    }
}
