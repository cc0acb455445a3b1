// `gearbox-build test` without a machine: QEMU's arguments, the choice of firmware, what consoles,
// journals and programs say.
#include "boot_test/checks.h"
#include "boot_test/firmware.h"
#include "boot_test/guest.h"
#include "boot_test/machine.h"
#include "boot_test/qmp.h"
#include "boot_test/report.h"
#include "golden.h"

#include "base/error.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MachineSpec spec_of(ImageKind kind, const char* file, const char* format) {
    MachineSpec spec;
    spec.kind = kind;
    spec.medium = file;
    spec.format = format;
    spec.work = "/tmp/work";
    spec.operator_key = "ssh-ed25519 AAAA";
    spec.ssh_port = 2201;
    spec.http_port = 8001;
    return spec;
}

std::string lines_of(const std::vector<std::string>& argv) {
    std::string text;
    for (const std::string& word : argv) {
        text += (word.starts_with("-") ? "\n" : " ") + word;
    }
    return text + "\n";
}

TEST(BootTest, StartsTheMachineThatAnImageIsFor) {
    MachineSpec iso = spec_of(ImageKind::iso, "/images/a,b.iso", "raw");
    iso.kvm = true;
    MachineSpec ova = spec_of(ImageKind::ova, "/images/disk.vmdk", "vmdk");
    ova.firmware = Firmware::uefi;
    ova.uefi_code = "/usr/share/OVMF/OVMF_CODE.fd";
    const MachineSpec box = spec_of(ImageKind::vagrant_libvirt, "/images/box.img", "qcow2");
    MachineSpec secure = ova;
    secure.firmware = Firmware::uefi_secure;
    expect_golden("boot_test/arguments.txt",
                  lines_of(machine_arguments(iso)) + "\n" + lines_of(machine_arguments(ova)) + "\n" +
                      lines_of(machine_arguments(box)) + "\n" + lines_of(machine_arguments(secure)));
}

TEST(BootTest, WritesToNoImage) {
    for (const ImageKind kind :
         {ImageKind::iso, ImageKind::raw, ImageKind::qcow2, ImageKind::vmdk, ImageKind::vdi,
          ImageKind::ova, ImageKind::vagrant_virtualbox, ImageKind::vagrant_libvirt}) {
        const std::string text = lines_of(machine_arguments(spec_of(kind, "/i", "f")));
        EXPECT_THAT(text, testing::AnyOf(HasSubstr("format=f,snapshot=on,file=/i"),
                                         HasSubstr("format=f,readonly=on,file=/i")));
        EXPECT_THAT(text, HasSubstr("restrict=on"));
    }
    EXPECT_THROW(machine_arguments(spec_of(ImageKind::oci, "/i", "")), Error);
}

std::string sectors_with(std::initializer_list<std::string_view> types) {
    std::string sectors(34 * 512, '\0');
    sectors.replace(512, 8, "EFI PART");
    sectors[512 + 72] = 2;
    sectors[512 + 80] = '\x80';
    sectors[512 + 84] = '\x80';
    std::size_t at = 1024;
    for (const std::string_view type : types) {
        sectors.replace(at, type.size(), type);
        at += 128;
    }
    return sectors;
}

TEST(BootTest, FindsTheFirmwareOfADisk) {
    const std::string_view bios = "Hah!IdontNeedEFI";
    const std::string_view efi("\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b",
                               16);
    EXPECT_THAT(find_disk_firmware(sectors_with({bios, efi})),
                ElementsAre(Firmware::bios, Firmware::uefi));
    EXPECT_THAT(find_disk_firmware(sectors_with({efi})), ElementsAre(Firmware::uefi));
    EXPECT_THAT(find_disk_firmware(sectors_with({})), IsEmpty());
    EXPECT_THAT(find_disk_firmware(std::string(34 * 512, '\0')), IsEmpty());
    // Numbers that lead beyond the end.
    std::string wild = sectors_with({efi});
    wild.replace(512 + 72, 8, "\xff\xff\xff\xff\xff\xff\xff\xff");
    EXPECT_THAT(find_disk_firmware(wild), IsEmpty());
    EXPECT_THAT(find_disk_firmware(wild.substr(0, 600)), IsEmpty());
}

TEST(BootTest, TriesEveryFirmwareUnlessOneIsNamed) {
    const std::vector<Firmware> both{Firmware::bios, Firmware::uefi};
    EXPECT_EQ(choose_firmware(both, ""), both);
    EXPECT_THAT(choose_firmware(both, "uefi"), ElementsAre(Firmware::uefi));
    EXPECT_THAT(choose_firmware(both, "uefi-secure"), ElementsAre(Firmware::uefi_secure));
    EXPECT_THROW(choose_firmware({Firmware::bios}, "uefi"), Error);
    EXPECT_THROW(choose_firmware({Firmware::bios}, "uefi-secure"), Error);
    EXPECT_THROW(choose_firmware({}, ""), Error);
}

TEST(BootTest, JudgesTheFirmware) {
    EXPECT_EQ(judge_firmware(Firmware::bios, "bios\n"), "bios");
    EXPECT_EQ(judge_firmware(Firmware::uefi, "uefi\n"), "uefi");
    EXPECT_EQ(judge_firmware(Firmware::uefi_secure, "uefi-secure\nKernel is locked down from EFI\n"),
              "Secure Boot is on; Kernel is locked down from EFI");
    EXPECT_THROW(judge_firmware(Firmware::uefi_secure, "uefi-secure\n"), Error);
    EXPECT_THROW(judge_firmware(Firmware::uefi_secure, "uefi\n"), Error);
    EXPECT_THROW(judge_firmware(Firmware::uefi, "bios\n"), Error);
}

TEST(BootTest, KnowsAFirmwareThatStartsNothing) {
    EXPECT_EQ(find_refusal(""), "");
    EXPECT_EQ(find_refusal("BdsDxe: loading Boot0001\nWelcome to GRUB!\n"), "");
    EXPECT_EQ(find_refusal("BdsDxe: loading\nBdsDxe: failed to load Boot0001: Access Denied\nPress any key\n"),
              "BdsDxe: failed to load Boot0001: Access Denied");
    EXPECT_EQ(find_refusal("Verification failed: (0x1A) Security Violation"),
              "Verification failed: (0x1A) Security Violation");
}

TEST(BootTest, ReadsConsolesWithoutTheirEscapes) {
    EXPECT_EQ(plain_text("\x1b[1;36mMedium\x1b[0m\r\n\x1b[2;51H\x1b(B\x1b=ok\x1b]0;title\a."),
              "Medium\nok.");
    EXPECT_EQ(plain_text("cut off\x1b"), "cut off");
    EXPECT_EQ(plain_text("cut off\x1b[1;3"), "cut off");
}

TEST(BootTest, ReadsWhatQemuAnswers) {
    EXPECT_EQ(read_answer(R"({"return": {"running": true}})"), Json({{"running", true}}));
    EXPECT_EQ(read_answer(R"({"event": "RESET"})"), std::nullopt);
    try {
        read_answer(R"({"error": {"class": "GenericError", "desc": "no PNG"}})");
        FAIL();
    } catch (const Refused& error) {
        EXPECT_STREQ(error.what(), "QEMU: no PNG");
    }
}

TEST(BootTest, ReadsPagesAndJournals) {
    const Page page = parse_page("two\nlines\n404");
    EXPECT_EQ(page.status, 404);
    EXPECT_EQ(page.body, "two\nlines");
    EXPECT_EQ(parse_page("\n200").body, "");
    EXPECT_THROW(parse_page("no status"), Error);
    EXPECT_THROW(parse_page("text\n20x"), Error);
    const char* const denial =
        R"(audit: type=1400 audit(1.2:3): avc:  denied  { read } for  pid=1 comm="x")";
    EXPECT_THAT(find_denials(str("started\n", denial, "\navc:  granted  { load_policy }\n")),
                ElementsAre(denial));
}

TEST(BootTest, TakesTheHostOfAnAddress) {
    EXPECT_EQ(host_of("http://site-test.apps.example.org/"), "site-test.apps.example.org");
    EXPECT_EQ(host_of("https://site.example.org:8443/x"), "site.example.org");
    EXPECT_EQ(host_of("site.example.org"), "site.example.org");
}

TEST(BootTest, JudgesTheConformance) {
    const auto attempt = [](const char* verdict) {
        return Json{{"group", "files"}, {"name", "shadow"}, {"verdict", verdict}};
    };
    Json result{{"enforcing", true}, {"attempts", {attempt("blocked"), attempt("absent")}}};
    EXPECT_EQ(judge_conformance(result), "1 attempts stopped, 1 not possible there");
    result["enforcing"] = false;
    EXPECT_THROW(judge_conformance(result), Error);
    result["attempts"].push_back(attempt("NOT STOPPED"));
    result["attempts"].back()["detail"] = "64 MiB";
    try {
        judge_conformance(result);
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("files/shadow: NOT STOPPED (64 MiB)"));
    }
    EXPECT_THROW(judge_conformance({{"enforcing", true}, {"attempts", Json::array()}}), Error);
}

TEST(BootTest, ReportsForPersonsAndPrograms) {
    MachineResult bios{Firmware::bios, false, {{"menu", Verdict::good, 4.26, "bios-menu.png"}}};
    MachineResult uefi{Firmware::uefi,
                       true,
                       {{"units", Verdict::failed, 61, "failed units:\na.service"},
                        {"login", Verdict::not_tried, 0, "the operator can log in"}}};
    std::string text = table_head() + "\n" + table_row(bios.firmware, bios.checks[0]) + "\n";
    for (const CheckResult& check : uefi.checks) {
        text += table_row(uefi.firmware, check) + "\n";
    }
    expect_golden("boot_test/report.txt",
                  text + to_json("x.iso", ImageKind::iso, {bios, uefi}).dump(2) + "\n");
}

TEST(BootTest, PassesOnlyIfEverythingIsGood) {
    const CheckResult good{"menu", Verdict::good, 0, ""};
    const CheckResult skipped{"login", Verdict::not_tried, 0, ""};
    EXPECT_TRUE(passed({{Firmware::bios, false, {good}}, {Firmware::uefi, false, {good}}}));
    EXPECT_FALSE(
        passed({{Firmware::bios, false, {good}}, {Firmware::uefi, false, {good, skipped}}}));
    EXPECT_FALSE(passed({{Firmware::bios, false, {}}}));
    EXPECT_FALSE(passed({}));
}

TEST(BootTest, HasNamesForItsChecks) {
    std::set<std::string> names;
    for (const BootCheck& check : boot_checks()) {
        EXPECT_TRUE(names.insert(check.name).second) << check.name;
        EXPECT_NE(check.run, nullptr);
    }
}

// A disk whose boot sector writes a text to the serial port, and stops.
std::string disk_that_says(const std::string& text) {
    // xor ax,ax; mov ds,ax; cld; mov si,text; next: lodsb; test al,al; jz end; mov dx,0x3f8; out
    // dx,al; jmp next; end: hlt; jmp end
    const unsigned char program[] = {0x31, 0xc0, 0x8e, 0xd8, 0xfc, 0xbe, 0x16, 0x7c,
                                     0xac, 0x84, 0xc0, 0x74, 0x06, 0xba, 0xf8, 0x03,
                                     0xee, 0xeb, 0xf5, 0xf4, 0xeb, 0xfd};
    std::string disk(std::begin(program), std::end(program));
    disk += text;
    disk.resize(510, '\0');
    disk += "\x55\xaa";
    disk.resize(1 << 20, '\0');
    return disk;
}

TEST(BootTest, SeesTheMenuOfARealMachine) {
    const TempDir folder;
    const auto file = folder.path() / "disk.raw";
    const std::string disk =
        disk_that_says("\x1b[1mThe highlighted entry will be executed automatically in 3s.\r\n");
    write_file_atomically(file, disk);
    MachineSpec spec = spec_of(ImageKind::raw, file.c_str(), "raw");
    spec.work = folder.path();
    spec.ssh_port = find_free_port();
    spec.http_port = find_free_port();
    {
        Machine machine(spec);
        Bench bench{machine, Guest(machine, "none"), folder.path(), std::chrono::seconds(100)};
        EXPECT_EQ(boot_checks()[0].run(bench), "bios-menu.png");
        EXPECT_THAT(read_file(folder.path() / "bios-menu.png"), testing::StartsWith("\x89PNG"));
        bench.limit = std::chrono::seconds(0);
        try {
            boot_checks()[1].run(bench);
            FAIL() << "there is no login prompt";
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("ends with: The highlighted entry"));
        }
    }
    EXPECT_EQ(Qmp::connect(folder.path() / "qmp"), nullptr) << "QEMU has ended";
    EXPECT_EQ(read_file(file), disk);
}

TEST(BootTest, SaysWhyAMachineDoesNotStart) {
    const TempDir folder;
    MachineSpec spec = spec_of(ImageKind::raw, "/nonexistent/disk.raw", "raw");
    spec.work = folder.path();
    try {
        const Machine machine(spec);
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("/nonexistent/disk.raw"));
    }
}

}  // namespace
}  // namespace gearbox::builder
