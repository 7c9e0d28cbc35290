internal import Advice
internal import ArgumentParser
internal import Formats

/// berth.toml(5): the policy file, each key as `berth config explain` explains it.
struct PolicyManual {
  let keys: [ExplainedKey]
  let profiles: [PolicyExplanation]

  /// - Parameter policy: Whose profiles are told of; an empty one for those of every host.
  init(_ policy: PolicyFile) {
    keys = policy.explanation(of: "auto")?.keys ?? []
    profiles = policy.profiles
  }

  var page: String {
    var roff = Roff(
      title: "BERTH.TOML", section: 5, date: ProgramManual.date,
      source: "berth \(Berth.configuration.version)")
    roff.section("NAME")
    roff.paragraph("berth.toml - what a host does for which virtual machine")
    roff.section("SYNOPSIS")
    roff.paragraph("/etc/berth/berth.toml")
    roff.section("DESCRIPTION")
    for paragraph in Self.description { roff.paragraph(paragraph) }
    roff.section("SECTIONS")
    for (term, words) in Self.sections { roff.item(term, words) }
    roff.paragraph(Self.precedence)
    roff.section("PROFILES")
    for profile in profiles {
      let values =
        profile.name == "auto" ? [] : profile.keys.map { "\($0.path) = \($0.value)" }
      roff.item(profile.name, profile.purpose)
      for value in values { roff.lineBreak(value) }
    }
    roff.section("KEYS")
    roff.paragraph(
      "Each with the value that holds where no section says otherwise. All but those of [limits] and "
        + "[proxmox] stand in [defaults], profiles and the sections of machines. Nobody but root can "
        + "say any of them, unless it is told who else can.")
    for key in keys {
      roff.item("\(key.path) = \(key.value)", key.purpose)
      roff.lineBreak("Takes \(key.type): \(key.values)")
      roff.lineBreak("Example: \(key.example.replacing("\n", with: " "))")
      if let cost = key.cost { roff.lineBreak("Cost: \(cost)") }
      if let risk = key.risk { roff.lineBreak("Risk: \(risk)") }
      if let others = key.others { roff.lineBreak("Also by: \(others)") }
    }
    roff.section("EXAMPLES")
    roff.verbatim(Self.example)
    roff.section("SEE ALSO")
    roff.paragraph(
      "berth(8), of which “berth config check” reads the file and names mistakes, and “berth config show” "
        + "says what holds for a VM")
    return roff.text
  }

  private static let description = [
    "No policy is needed: without one, a virtual machine gets what its own configuration asks for. "
      + "The file is for what that cannot say, and for what the administrator wants otherwise.",
    "It is TOML, must belong to root, and must not be writable by others. It is read again in "
      + "each phase of a machine's life.",
  ]

  private static let sections = [
    ("[defaults]", "For every machine."),
    ("[profile.NAME]", "For those whose section says profile = \"NAME\"."),
    (
      "[vm.\"NAME\"]",
      "For one: its libvirt UUID, its Proxmox vmid or its libvirt name; or for several by a glob of *, "
        + "? and [a-z]. What is written as an id is compared with ids only, and on Proxmox a name "
        + "counts only with names = true under [proxmox]."
    ),
    ("[limits]", "For all together: what no machine gets, whatever is said of it elsewhere."),
    ("[proxmox]", "For all machines of Proxmox's."),
  ]

  private static let precedence =
    "What stands further down wins: [defaults], the profile that it names, sections whose glob fits "
    + "the machine's name, those with its own name, sections whose glob fits its UUID or vmid, those "
    + "with its own UUID or vmid. The machine's own metadata sets what none of them says, and narrows "
    + "what they say. A section's profile stands behind the section's own keys. A key replaces the weaker value as a "
    + "whole: lists are not joined."

  private static let example = [
    "[limits]", "host-memory = \"4GiB\"", "host-cpus = \"0,8\"", "",
    "[defaults]", "interrupts.move = \"auto\"", "", "[vm.\"gaming\"]", "profile = \"latency\"",
    "services.stop = [\"display-manager\"]", "", "[vm.\"test-*\"]", "enabled = false",
  ]
}
