import FxferProtocol
import Testing

@Suite("A line of JSON")
struct JSONLineTests {
    static func line() -> [UInt8] {
        var line = JSONLineWriter()
        line.add("path", #"a "b" \\ é"#)
        line.add("size", 0)
        line.add("max", UInt64.max)
        line.add("empty", "")
        return line.finish()
    }

    /// What is read of `line`; nil where it is refused.
    static func read(_ line: ArraySlice<UInt8>) -> [String]? {
        guard var reader = JSONLineReader(line), let path = reader.text("path"), let size = reader.number("size"),
            reader.optionalText("missing") == nil, let max = reader.number("max"), let empty = reader.text("empty"),
            reader.isAtEnd()
        else { return nil }
        return [path, "\(size)", "\(max)", empty]
    }

    @Test("is read as it was written")
    func roundTrip() {
        let line = Self.line()
        let text = #"{"path":"a \"b\" \\\\ é","size":0,"max":18446744073709551615,"empty":""}"# + "\n"
        #expect(String(decoding: line, as: UTF8.self) == text)
        #expect(Self.read(line.dropLast()) == [#"a "b" \\ é"#, "0", "18446744073709551615", ""])
    }

    @Test("has one form: whatever else it may be in JSON is refused")
    func otherForms() {
        let forms = [
            #"{"path": "a","size":0,"max":1,"empty":""}"#, #"{"path":"a","size":00,"max":1,"empty":""}"#,
            #"{"path":"\u0061","size":0,"max":1,"empty":""}"#, #"{"path":"a\n","size":0,"max":1,"empty":""}"#,
            #"{"size":0,"path":"a","max":1,"empty":""}"#, #"{"path":"a","size":0,"max":1,"empty":""} "#,
            #"{"path":"a","size":0,"max":18446744073709551616,"empty":""}"#,
            #"{"path":"a","size":-1,"max":1,"empty":""}"#,
            #"{"path":"a","size":0,"max":1,"empty":"","more":1}"#, #"{"path":"a"#, "{", "", "[]",
            #"{"path":"a\"#,
        ]
        for form in forms { #expect(Self.read(Array(form.utf8)[...]) == nil, "\(form)") }
        #expect(Self.read(Array(#"{"path":"a","size":0,"max":1,"empty":""}"#.utf8)[...]) != nil)
    }

    @Test("cut anywhere, it is refused")
    func cut() {
        let line = Self.line().dropLast()
        for count in 0..<line.count { #expect(Self.read(line.prefix(count)) == nil) }
    }
}
