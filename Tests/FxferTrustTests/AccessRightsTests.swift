import Testing

@testable import FxferTrust

@Suite struct AccessRightsTests {
    @Test func allIsEveryRight() {
        #expect(AccessRights.all == [.upload, .read, .list])
    }
}
