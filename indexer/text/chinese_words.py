"""The Chinese words by which texts deny, doubt, list and place findings. A table, no code.

Compiled for this project by the same reading of NegEx and ConText as `indexer.text.english_words`,
and from reading Chinese consultation texts (JMED). Words that deny are long where a short one is
also part of other words: 无力 is weakness, 左氧氟沙星 a drug.
"""

from collections.abc import Mapping
from types import MappingProxyType

from indexer.text.english_words import Kind

CHINESE: Mapping[Kind, str] = MappingProxyType(
    {
        # before a finding: it is not there
        "denies": """
            无 | 无明显 | 无任何 | 未见 | 未见明显 | 未见确切 | 没有 | 没有明显 | 没 | 未发现
            | 未出现 | 未闻及 | 未触及 | 未及 | 未伴 | 未伴有 | 不伴 | 不伴有 | 否认 | 否认有
            | 缺乏 | 未显示 | 未检出 | 未查见 | 未提示 | 不存在 | 并无 | 并未见 | 未合并
            | 不合并 | 未并发 | 从未 | 已排除 | 初步排除 | 排除了 | 检查排除 | 可排除 | 排除""",
        # after a finding: it is not there
        "denied": """
            阴性 | 消失 | 已消失 | 缺如 | 未见 | 没有 | 未发现 | 被排除 | 已排除 | 不存在
            | 均无""",
        # before a finding: it is left open, or a thing of the past
        "doubts": """
            有无 | 有没有 | 是否 | 是否有 | 疑似 | 怀疑 | 疑 | 可疑 | 可能 | 可能有 | 不能排除
            | 不排除 | 不除外 | 未排除 | 无法排除 | 未能排除 | 尚不能排除 | 需排除 | 待排除
            | 以排除 | 为排除 | 需要排除 | 考虑 | 警惕 | 预防 | 避免 | 无其他 | 没有其他
            | 未见其他 | 无新发 | 未见新发 | 如有 | 如果 | 若 | 若有 | 会不会 | 鉴别 | 既往""",
        # after a finding: the same
        "doubted": "待排 | 不能排除 | 不除外 | 待查 | 可能",
        # looks like a negation and is none; or says nothing of what is there
        "skip_all": """
            不但 | 不仅 | 无论 | 无法 | 无力 | 无菌 | 无创 | 无效 | 无痛性 | 无痛 | 无线
            | 无机 | 无脉 | 无尿 | 无意识 | 无症状 | 无名 | 无花果 | 无精 | 无脑 | 无助 | 无关
            | 无需 | 无须 | 无常 | 无明显诱因 | 无诱因 | 无明显变化 | 无变化 | 无明显改善
            | 无改善 | 无明显好转 | 无好转 | 无加重 | 无明显缓解 | 无缓解 | 没有变化
            | 没有改善 | 没有好转 | 没有缓解 | 无血缘 | 革兰阴性 | 革兰氏阴性 | 革兰氏染色阴性
            | 假阴性 | 三阴性 | 左右 | 左氧氟沙星 | 左甲状腺素 | 左旋 | 左卡尼汀 | 左西孟旦
            | 左炔诺孕酮 | 左乙拉西坦 | 左西替利嗪 | 右旋 | 右美托咪定 | 右美沙芬 | 右佐匹克隆
            | 右雷佐生 | 没事 | 没关系 | 没劲 | 没好 | 没事儿 | 有没有好处""",
        # a clause ends, and with it every scope
        "ends": """
            但 | 但是 | 然而 | 不过 | 仅 | 仅有 | 仅见 | 只有 | 除了 | 的 | 因为 | 等 | 等症状
            | 等不适 | 等情况 | 等病史 | 等疾病 | 等其他 | 其中 | 同时 | 伴 | 伴有 | 伴随
            | 合并 | 并有 | 引起 | 导致 | 所致 | 而且""",
        "shows": """
            显示 | 提示 | 可见 | 见 | 发现 | 出现 | 表现为 | 表现 | 诊断 | 诊断为 | 确诊
            | 确诊为 | 有 | 患有 | 存在""",
        "is": "是 | 了 | 位于 | 目前 | 近期",
        "with": "具有",
        "and": "、 | 及 | 和 | 与 | 以及 | 及其",
        "or": "或 | 或者 | 或是",
        # what follows is a method or a time; only a side is taken from it
        "on": "检查 | 查体 | 体检",
        "left": "左 | 左侧 | 左边 | 左侧的 | 左边的",
        "right": "右 | 右侧 | 右边 | 右侧的 | 右边的",
        "bilateral": """
            双侧 | 两侧 | 双 | 双侧的 | 两侧的 | 左右两侧 | 左侧和右侧 | 左侧及右侧 | 左右侧""",
        "unilateral": "单侧 | 一侧 | 单侧的",
        "degree": """
            大量 | 中量 | 少量 | 微量 | 轻度 | 中度 | 重度 | 轻微 | 严重 | 急性 | 慢性
            | 亚急性 | 多发 | 单发 | 散在 | 局部 | 弥漫 | 弥漫性 | 陈旧性 | 复发性 | 反复
            | 持续性 | 巨大""",
        # says nothing of what is there
        "skip": """
            明显 | 确切 | 任何 | 患者 | 病人 | 男性 | 女性 | 图像 | 影像 | 平片 | 胶片 | 照片
            | 扫描 | x线 | x光 | x线片 | x光片 | ct | mri | mr | b超 | 超声 | 彩超 | 核磁共振
            | 核磁 | 磁共振 | 请问 | 如何 | 怎么办 | 怎么治疗 | 请 | 吗 | 呢 | 史 | 病史
            | 征象 | 迹象 | 症状 | 表明""",
    }
)
