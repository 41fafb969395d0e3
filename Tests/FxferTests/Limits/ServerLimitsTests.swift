import Testing

@testable import Fxfer

@Suite("limits fit the descriptors that a process may have")
struct ServerLimitsTests {
    @Test(
        "few descriptors make small limits, and many leave them as they are",
        arguments: [(-1, 1, 1), (1, 1, 1), (40, 7, 1), (64, 19, 1), (1024, 499, 61), (1 << 20, 1000, 256)]
    )
    func fit(descriptors: Int, connections: Int, files: UInt16) {
        var limits = ServerLimits()
        limits.fit(descriptors: descriptors, cores: 2)
        #expect(limits.maxConnections == connections)
        #expect(limits.filesInFlight == files)
    }

    @Test("what was chosen smaller stays")
    func chosen() {
        var limits = ServerLimits()
        limits.maxConnections = 3
        limits.filesInFlight = 2
        limits.fit(descriptors: 1 << 20)
        #expect(limits.maxConnections == 3)
        #expect(limits.filesInFlight == 2)
    }
}
