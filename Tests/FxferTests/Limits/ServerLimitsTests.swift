import Testing

@testable import Fxfer

@Suite("limits fit the descriptors that a process may have")
struct ServerLimitsTests {
    @Test(
        "few descriptors make small limits, and many leave them as they are",
        arguments: [
            (1, 1, 1, 8), (40, 10, 1, 15), (64, 22, 1, 38), (1024, 502, 19, 938), (1 << 20, 1000, 256, 1_048_488),
        ]
    )
    func fit(descriptors: Int, connections: Int, filesInFlight: UInt16, open: Int) {
        var limits = ServerLimits()
        limits.fit(descriptors: descriptors, eventLoops: 2)
        #expect(limits.maxConnections == connections)
        #expect(limits.filesInFlight == filesInFlight)
        #expect(limits.maxOpen == open)
    }

    @Test("a machine of many cores needs more descriptors for itself")
    func manyCores() {
        var limits = ServerLimits()
        limits.fit(descriptors: 1024, eventLoops: 128)
        #expect(limits.maxConnections == 313)
        #expect(limits.filesInFlight == 12)
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
