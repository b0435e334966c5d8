/* Tissue presets. Every number has its source beside it; a number that was recalled rather than read says so, and one
   that stands in for a missing one too. */
#include <irezone/tissue.h>
#include <stddef.h>
#include <string.h>

#define V_PER_CM 100.0

static const char itis[] = "IT'IS database V5.0";
static const char beitel_white[] = "pig (Beitel-White 2021, PMC8048145)";
static const char general[] = "stand-in: soft tissue in OpenEP (PMC7809294)";

static const IrzPreset presets[] = {
    {
        .name = "liver",
        .title = "liver",
        .sigma = {.kind = IRZ_LAW_RAMP, .low = 0.08, .high = 0.32, .p = 350 * V_PER_CM, .q = 700 * V_PER_CM},
        .sigma_source = "Go-Smart project, constants for clinical IRE of the liver; low is 0.14 in the IT'IS database "
                        "V5.0, 0.12 in pigs (Beitel-White 2021)",
        .threshold = {500 * V_PER_CM,
                      "best match with CT of 10 patients 500 to 600 (doi 10.1177/15330338251384207); spread from 423, "
                      "cold-perfused pig liver, 99 pulses of 100 us (Sano 2010, PMC3018380, abstract), to 700 "
                      "(Go-Smart project)"},
        .threshold_low = 423 * V_PER_CM,
        .threshold_high = 700 * V_PER_CM,
        .temperature_coefficient = {0.012, beitel_white},
        .density = {1078.75, itis},
        .heat_capacity = {3540.2, itis},
        .heat_conductivity = {0.519, itis},
        .perfusion = {0.01547, "IT'IS database V5.0; the Go-Smart project uses 0.0036"},
        .metabolic_heat = {10713, itis},
    },
    {
        .name = "liver-tumour",
        .title = "tumour in the liver",
        .sigma = {.kind = IRZ_LAW_RAMP, .low = 0.20, .high = 0.70, .p = 400 * V_PER_CM, .q = 800 * V_PER_CM},
        .sigma_source = "Go-Smart project, constants for clinical IRE of liver tumours; 0.2 to 0.45 at low field "
                        "elsewhere (recalled, not checked)",
        .threshold = {500 * V_PER_CM,
                      "stand-in: that of liver; 500 to 1000 reported for tumour cells (recalled, not checked)"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 1000 * V_PER_CM,
        .temperature_coefficient = {0.012, "stand-in: that of liver (Beitel-White 2021)"},
        .density = {1079, "Go-Smart project"},
        .heat_capacity = {3750, "Go-Smart project"},
        .heat_conductivity = {0.5, "Go-Smart project"},
        .perfusion = {0.01547, "stand-in: that of liver in the IT'IS database V5.0"},
        .metabolic_heat = {10713, "stand-in: that of liver in the IT'IS database V5.0"},
    },
    {
        .name = "kidney",
        .title = "kidney",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.267, .high = 0.267},
        .sigma_source = "IT'IS database V5.0; no law of the field published, so constant",
        .threshold = {575 * V_PER_CM, "dog 575 +- 67 (Neal 2015; recalled, not checked)"},
        .threshold_low = 508 * V_PER_CM,
        .threshold_high = 642 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1066.25, itis},
        .heat_capacity = {3763, itis},
        .heat_conductivity = {0.535, itis},
        .perfusion = {0.06744, "IT'IS database V5.0; the Go-Smart project uses 0.0035"},
        .metabolic_heat = {19248, itis},
    },
    {
        .name = "lung",
        .title = "lung, inflated",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.0842, .high = 0.0842},
        .sigma_source = "IT'IS database V5.0; 0.349 deflated; no law of the field published, so constant",
        .threshold = {800 * V_PER_CM,
                      "reported as 800 or more (recalled, not checked, and of low confidence); no spread known"},
        .threshold_low = 800 * V_PER_CM,
        .threshold_high = 800 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {394, itis},
        .heat_capacity = {3886, itis},
        .heat_conductivity = {0.179, itis},
        .perfusion = {0.0374, "IT'IS database V5.0; the Go-Smart project uses 0.004"},
        .metabolic_heat = {2446, itis},
    },
    {
        .name = "prostate",
        .title = "prostate",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.121, .high = 0.121},
        .sigma_source = "IT'IS database V5.0; 0.284 in dogs (Neal 2014; recalled, not checked); no law of the field "
                        "published, so constant",
        .threshold = {500 * V_PER_CM,
                      "506 +- 66 in 10 patients (PMC6481690); 550 (383 to 750) by histology and 500 (386 to 580) by "
                      "MRI in 13 (doi 10.1177/1756287219852305); 700 in 6 (doi 10.1186/s40064-016-1879-0)"},
        .threshold_low = 380 * V_PER_CM,
        .threshold_high = 750 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1045, itis},
        .heat_capacity = {3760, itis},
        .heat_conductivity = {0.512, itis},
        .perfusion = {0.00686, itis},
        .metabolic_heat = {6378, itis},
    },
    {
        .name = "pancreas",
        .title = "pancreas",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.11, .high = 0.11},
        .sigma_source = "pig (Beitel-White 2021, PMC8048145); 0.23 in the IT'IS database V5.0; no law of the field "
                        "published, so constant",
        .threshold = {500 * V_PER_CM,
                      "stand-in: 500 to 600, as for liver (recalled, not checked, and of low confidence)"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 600 * V_PER_CM,
        .temperature_coefficient = {0.02, beitel_white},
        .density = {1086.5, itis},
        .heat_capacity = {3164, itis},
        .heat_conductivity = {0.512, itis},
        .perfusion = {0.01390, itis},
        .metabolic_heat = {12914, itis},
    },
    {
        .name = "brain",
        .title = "brain, grey matter",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.14, .high = 0.14},
        .sigma_source = "pig (Beitel-White 2021, PMC8048145); grey 0.173 and white 0.0908 in the IT'IS database V5.0; "
                        "no law of the field published, so constant",
        .threshold = {500 * V_PER_CM, "dog, about 500 (Garcia 2010; recalled, not checked); no spread known"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.023, beitel_white},
        .density = {1044.5, itis},
        .heat_capacity = {3695.8, itis},
        .heat_conductivity = {0.547, itis},
        .perfusion = {0.0133, itis},
        .metabolic_heat = {16230, itis},
    },
    {
        .name = "muscle",
        .title = "skeletal muscle",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.354, .high = 0.354},
        .sigma_source = "IT'IS database V5.0; 0.135 across and 0.75 along the fibres (recalled, not checked), whose "
                        "mean over directions is 0.34; no law of the field published, so constant",
        .fibre_ratio = {0.75 / 0.135, "0.75 along and 0.135 across (recalled, not checked); typically ten in dogs at "
                                      "audio frequencies (doi 10.1007/BF02446406, abstract)"},
        .threshold = {500 * V_PER_CM,
                      "stand-in: that of liver; 193 +- 42 along and across fibres alike in pigs, for pulses that the "
                      "abstract does not state (doi 10.1109/TBME.2022.3229560)"},
        .threshold_low = 151 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1090.4, itis},
        .heat_capacity = {3421.2, itis},
        .heat_conductivity = {0.495, itis},
        .perfusion = {0.00067, itis},
        .metabolic_heat = {988, itis},
    },
    {
        .name = "fat",
        .title = "fat",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.0222, .high = 0.0222},
        .sigma_source = "IT'IS database V5.0; no law of the field published, so constant",
        .threshold = {500 * V_PER_CM, "stand-in: that of liver; no threshold published for this tissue was found"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {911, itis},
        .heat_capacity = {2348.3, itis},
        .heat_conductivity = {0.211, itis},
        .perfusion = {0.00050, itis},
        .metabolic_heat = {461, itis},
    },
    {
        .name = "bone",
        .title = "bone, cortical",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.018, .high = 0.018},
        .sigma_source = "IT'IS database V5.0; cancellous 0.0231; no law of the field published, so constant",
        .threshold = {500 * V_PER_CM, "stand-in: that of liver; no threshold published for this tissue was found"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1908, itis},
        .heat_capacity = {1313, itis},
        .heat_conductivity = {0.32, itis},
        .perfusion = {0.00032, itis},
        .metabolic_heat = {295, itis},
    },
    {
        .name = "vessel",
        .title = "blood vessel: blood",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.996, .high = 0.996},
        .sigma_source = "blood in the IT'IS database V5.0 (0.7 by Gabriel, recalled, not checked; its wall 0.292); the "
                        "Go-Smart project uses 0.7 to 1.5 between 100 and 450 V/cm",
        .threshold = {500 * V_PER_CM, "stand-in: that of liver; no threshold published for this tissue was found; "
                                      "walls of large vessels keep their structure"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1049.75, itis},
        .heat_capacity = {3617, itis},
        .heat_conductivity = {0.517, itis},
        .perfusion = {0, "blood is not perfused tissue"},
        .metabolic_heat = {0, itis},
    },
    {
        .name = "bile-duct",
        .title = "bile duct: bile",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 1.29, .high = 1.29},
        .sigma_source = "bile in the IT'IS database V5.0; wall of the gallbladder 0.822; no law of the field "
                        "published, so constant",
        .threshold = {500 * V_PER_CM,
                      "stand-in: that of liver; no threshold published for this tissue was found; an organ at risk"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {928, itis},
        .heat_capacity = {4037, itis},
        .heat_conductivity = {0.583, itis},
        .perfusion = {0, itis},
        .metabolic_heat = {0, itis},
    },
    {
        .name = "urethra",
        .title = "urethra: its wall",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.292, .high = 0.292},
        .sigma_source =
            "wall of ureter and urethra in the IT'IS database V5.0; no law of the field published, so constant",
        .threshold = {500 * V_PER_CM,
                      "stand-in: that of liver; no threshold published for this tissue was found; an organ at risk"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1101.5, itis},
        .heat_capacity = {3306, itis},
        .heat_conductivity = {0.462, itis},
        .perfusion = {0.00345, itis},
        .metabolic_heat = {3206, itis},
    },
    {
        .name = "nerve",
        .title = "nerve",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.0789, .high = 0.0789},
        .sigma_source = "IT'IS database V5.0; spinal cord 0.23 (0.08 to 0.53) in a published model of the spine; no "
                        "law of the field published, so constant",
        .threshold = {500 * V_PER_CM,
                      "stand-in: that of liver; no threshold published for this tissue was found; an organ at risk"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1075, itis},
        .heat_capacity = {3613, itis},
        .heat_conductivity = {0.49, itis},
        .perfusion = {0.0029, itis},
        .metabolic_heat = {2669, itis},
    },
    {
        .name = "potato",
        .title = "potato, a phantom",
        .sigma = {.kind = IRZ_LAW_GOMPERTZ, .low = 0.03, .high = 0.38, .p = 12.182493960703473, .q = 0.01 / V_PER_CM},
        .sigma_source = "0.03 + 0.35 exp(-exp(-0.01 (E - 250))), pulses of 400 us (Ivorra 2009; recalled, not "
                        "checked); OpenEP has the same 0.03",
        .threshold = {478 * V_PER_CM, "478 in a published model of potato experiments (Ablation-PCNN-Former); 200 to "
                                      "500 reported, falling with the number of pulses (recalled, not checked)"},
        .threshold_low = 200 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.015, general},
        .density = {1100, "OpenEP, potato"},
        .heat_capacity = {3780, "OpenEP, potato"},
        .heat_conductivity = {0.512, "stand-in: that of soft tissue in OpenEP"},
        .perfusion = {0, "not perfused"},
        .metabolic_heat = {0, "stand-in: none; OpenEP uses 2161"},
    },
    {
        .name = "gel",
        .title = "agar gel, a phantom",
        .sigma = {.kind = IRZ_LAW_CONSTANT, .low = 0.1, .high = 0.1},
        .sigma_source = "stand-in: set by the salt in the gel; measure it and state it; no cells, so constant",
        .threshold = {500 * V_PER_CM, "stand-in: that of liver; a gel has no cells that could die"},
        .threshold_low = 500 * V_PER_CM,
        .threshold_high = 500 * V_PER_CM,
        .temperature_coefficient = {0.02, "electrolytes, about 2 % per K (recalled, not checked)"},
        .density = {1000, "stand-in: water (recalled, not checked)"},
        .heat_capacity = {4180, "stand-in: water (recalled, not checked)"},
        .heat_conductivity = {0.6, "stand-in: water (recalled, not checked)"},
        .perfusion = {0, "not perfused"},
        .metabolic_heat = {0, "not living"},
    },
};

const IrzPreset *irz_presets(int *count) {
  *count = (int)(sizeof presets / sizeof presets[0]);
  return presets;
}

const IrzPreset *irz_preset_find(const char *name) {
  for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
    if (strcmp(presets[i].name, name) == 0) return &presets[i];
  }
  return NULL;
}
